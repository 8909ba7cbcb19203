#include "network_card.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static bool is_same(const struct sockaddr *one, const struct sockaddr *other) {
  if (one == NULL || one->sa_family != other->sa_family) return false;
  if (one->sa_family == AF_INET)
    return ((const struct sockaddr_in *)(const void *)one)->sin_addr.s_addr ==
           ((const struct sockaddr_in *)(const void *)other)->sin_addr.s_addr;
  return memcmp(&((const struct sockaddr_in6 *)(const void *)one)->sin6_addr,
                &((const struct sockaddr_in6 *)(const void *)other)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool find_interface(char name[16], const struct sockaddr *address) {
  struct ifaddrs *all;
  bool found = false;
  if (getifaddrs(&all) != 0) return false;
  for (struct ifaddrs *each = all; each != NULL && !found; each = each->ifa_next) {
    if (!is_same(each->ifa_addr, address)) continue;
    snprintf(name, 16, "%.15s", each->ifa_name);
    found = true;
  }
  freeifaddrs(all);
  return found;
}

#define WANTED (SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE)

static bool can_stamp(struct card *card, int file) {
  struct ethtool_ts_info info = {.cmd = ETHTOOL_GET_TS_INFO};
  struct ifreq request = {.ifr_data = (char *)&info};
  memcpy(request.ifr_name, card->name, sizeof card->name);
  if (ioctl(file, SIOCETHTOOL, &request) != 0) {
    snprintf(card->why_not, sizeof card->why_not, "%s does not say what it can stamp: %s", card->name, strerror(errno));
    return false;
  }
  bool can_all = (info.rx_filters & (1u << HWTSTAMP_FILTER_ALL)) != 0 && (info.tx_types & (1u << HWTSTAMP_TX_ON)) != 0;
  if ((info.so_timestamping & WANTED) == WANTED && can_all) return true;
  snprintf(card->why_not, sizeof card->why_not, "%s has no hardware timestamps of every packet (ethtool -T %s)", card->name, card->name);
  return false;
}

/* What the card does now, not what it could: a capable card stamps nothing until somebody says so. */
static bool does_stamp(struct card *card, int file) {
  struct hwtstamp_config now = {0};
  struct ifreq request = {.ifr_data = (char *)&now};
  memcpy(request.ifr_name, card->name, sizeof card->name);
  bool answers = ioctl(file, SIOCGHWTSTAMP, &request) == 0;
  if (answers && now.tx_type == HWTSTAMP_TX_ON && now.rx_filter == HWTSTAMP_FILTER_ALL) return true;
  const char *what = !answers ? "cannot be asked for" : now.rx_filter > HWTSTAMP_FILTER_ALL ? "are on for PTP alone" : "are off";
  snprintf(card->why_not, sizeof card->why_not, "%s: hardware timestamps %s; hwstamp_ctl -i %s -t 1 -r 1 (linuxptp) switches them on", card->name,
           what, card->name);
  return false;
}

void card_of_socket(struct card *card, int file) {
  union {
    struct sockaddr any;
    struct sockaddr_storage room;
  } local;
  socklen_t bytes = sizeof local;
  *card = (struct card){.name = "?"};
  if (getsockname(file, &local.any, &bytes) != 0 || !find_interface(card->name, &local.any)) {
    snprintf(card->why_not, sizeof card->why_not, "no interface has the address of the socket");
    return;
  }
  card->has_hardware = can_stamp(card, file) && does_stamp(card, file);
}
