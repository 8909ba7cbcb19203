#include "xdp_frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TIME_TO_LIVE 64

/* The neighbour is known: a connection to it is open. proc(5), /proc/net/arp. */
static bool find_neighbour(uint8_t mac[ETH_ALEN], const char *interface, in_addr_t address) {
  char wanted[INET_ADDRSTRLEN], line[256];
  bool found = false;
  FILE *file = fopen("/proc/net/arp", "re");
  if (file == NULL) return false;
  inet_ntop(AF_INET, &address, wanted, sizeof wanted);
  while (!found && fgets(line, sizeof line, file) != NULL) {
    char who[64], device[64];
    unsigned flags, at[ETH_ALEN];
    if (sscanf(line, "%63s 0x%*x 0x%x %x:%x:%x:%x:%x:%x %*s %63s", who, &flags, &at[0], &at[1], &at[2], &at[3], &at[4], &at[5], device) != 9) continue;
    found = strcmp(who, wanted) == 0 && strcmp(device, interface) == 0 && (flags & ATF_COM) != 0;
    for (int i = 0; i < ETH_ALEN; i++) mac[i] = (uint8_t)at[i];
  }
  fclose(file);
  return found;
}

static bool find_own(uint8_t mac[ETH_ALEN], const char *interface) {
  struct ifreq request = {0};
  int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  snprintf(request.ifr_name, sizeof request.ifr_name, "%.15s", interface);
  bool is_ethernet = file >= 0 && ioctl(file, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
  if (file >= 0) close(file);
  memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
  return is_ethernet;
}

/* RFC 1071. */
static uint16_t checksum(const void *data, size_t bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes; i += 2) {
    uint16_t word;
    memcpy(&word, (const char *)data + i, sizeof word);
    sum += word;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

const char *frame_headers_make(struct frame_headers *headers, const char *interface, const struct xdp_flow *flow, size_t payload_bytes) {
  struct ethhdr link = {.h_proto = htons(ETH_P_IP)};
  struct iphdr ip = {.version = 4, .ihl = 5, .ttl = TIME_TO_LIVE, .protocol = IPPROTO_UDP, .frag_off = htons(IP_DF)};
  struct udphdr udp = {.source = flow->port_here, .dest = flow->port_there};
  if (!find_own(link.h_source, interface)) return "it is no Ethernet";
  if (!find_neighbour(link.h_dest, interface, flow->there)) return "the peer is behind a router, and not a neighbour on it";
  ip.saddr = flow->here;
  ip.daddr = flow->there;
  ip.tot_len = htons((uint16_t)(sizeof ip + sizeof udp + payload_bytes));
  ip.check = checksum(&ip, sizeof ip);
  /* No checksum, as IPv4 allows: the message has its own. */
  udp.len = htons((uint16_t)(sizeof udp + payload_bytes));
  memcpy(headers->bytes, &link, sizeof link);
  memcpy(headers->bytes + sizeof link, &ip, sizeof ip);
  memcpy(headers->bytes + sizeof link + sizeof ip, &udp, sizeof udp);
  return NULL;
}
