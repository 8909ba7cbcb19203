#include "xdp_features.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "failure.h"

/* include/uapi/linux/netdev.h, which older headers do not have. */
#define NETDEV_CMD_DEV_GET 1
#define NETDEV_A_DEV_IFINDEX 1
#define NETDEV_A_DEV_XDP_FEATURES 3

/* Those of linux/netlink.h are signed. */
static const uint16_t attribute_head = 4;

static size_t align(size_t bytes) { return (bytes + 3) & ~(size_t)3; }

static const char *const names[] = {"basic", "redirect", "ndo-xmit", "xsk-zerocopy", "hw-offload", "rx-sg", "ndo-xmit-sg"};

struct message {
  struct nlmsghdr head;
  struct genlmsghdr command;
  char attributes[64];
};

/* All that answers are read into: netlink keeps them below a page, and a family with its operations below two. */
static union {
  struct nlmsghdr head;
  char bytes[16384];
} answer;

static void add(struct message *message, uint16_t type, const void *value, uint16_t bytes) {
  struct nlattr *attribute = (struct nlattr *)(void *)((char *)message + align(message->head.nlmsg_len));
  *attribute = (struct nlattr){.nla_type = type, .nla_len = (uint16_t)(attribute_head + bytes)};
  memcpy((char *)attribute + attribute_head, value, bytes);
  message->head.nlmsg_len = (uint32_t)(align(message->head.nlmsg_len) + align(attribute->nla_len));
}

static struct message ask_for(uint16_t family, uint8_t command) {
  return (struct message){
      .head = {.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN), .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1},
      .command = {.cmd = command, .version = 1},
  };
}

/* Sends and waits for the one answer. errno: what the kernel answered instead, or why there is none. */
static bool ask(int peer, const struct message *message) {
  if (send(peer, message, message->head.nlmsg_len, 0) < 0) return false;
  ssize_t bytes = recv(peer, &answer, sizeof answer, 0);
  if (bytes < 0) return false;
  errno = EPROTO;
  if (!NLMSG_OK(&answer.head, (size_t)bytes)) return false;
  if (answer.head.nlmsg_type != NLMSG_ERROR) return answer.head.nlmsg_len >= NLMSG_LENGTH(GENL_HDRLEN);
  if (answer.head.nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return false;
  errno = -((const struct nlmsgerr *)NLMSG_DATA(&answer.head))->error;
  return false;
}

/* The value of an attribute of the answer; NULL: it has none of this type and size. */
static const void *find(uint16_t type, size_t bytes) {
  const char *at = (const char *)NLMSG_DATA(&answer.head) + GENL_HDRLEN;
  size_t left = answer.head.nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
  while (left >= attribute_head) {
    const struct nlattr *attribute = (const void *)at;
    size_t length = attribute->nla_len;
    if (length < attribute_head || length > left) return NULL;
    if ((attribute->nla_type & NLA_TYPE_MASK) == type && length == attribute_head + bytes) return at + attribute_head;
    size_t step = align(length);
    if (step >= left) return NULL;
    at += step;
    left -= step;
  }
  return NULL;
}

static uint16_t find_family(int peer) {
  struct message message = ask_for(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
  add(&message, CTRL_ATTR_FAMILY_NAME, "netdev", sizeof "netdev");
  if (!ask(peer, &message)) {
    if (errno == ENOENT) unsupported("Linux 6.3", "this kernel does not tell what drivers can do with XDP");
    fail("netlink: %s", strerror(errno));
  }
  const uint16_t *family = find(CTRL_ATTR_FAMILY_ID, sizeof *family);
  if (family == NULL) fail("netlink: an answer without the number of the family netdev");
  return *family;
}

static void print_features(int peer, uint16_t family, const char *name) {
  uint32_t index = if_nametoindex(name);
  if (index == 0) fail("%.40s: %s", name, strerror(errno));
  struct message message = ask_for(family, NETDEV_CMD_DEV_GET);
  add(&message, NETDEV_A_DEV_IFINDEX, &index, sizeof index);
  if (!ask(peer, &message)) fail("%.40s: %s", name, strerror(errno));
  uint64_t features = 0;
  const void *value = find(NETDEV_A_DEV_XDP_FEATURES, sizeof features);
  if (value == NULL) fail("%.40s: an answer without XDP features", name);
  memcpy(&features, value, sizeof features);
  printf("%s xdp-features", name);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if ((features >> i & 1u) != 0) printf(" %s", names[i]);
  printf("\n");
}

int xdp_features(char **arguments) {
  if (arguments[0] == NULL) usage("expected the name of an interface");
  int peer = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  struct timeval patience = {.tv_sec = 5};
  if (peer < 0 || setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("socket: %s", strerror(errno));
  uint16_t family = find_family(peer);
  for (char **name = arguments; *name != NULL; name++) print_features(peer, family, *name);
  close(peer);
  return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}
