#include "offloads.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel has some 60. */
#define MOST_FEATURES 512u
#define BITS 32u

static const char *const JOINING[] = {"rx-lro", "rx-gro-hw", NULL};

static bool ask(int file, const char *interface, void *question) {
  struct ifreq request = {.ifr_data = question};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%.15s", interface);
  return ioctl(file, SIOCETHTOOL, &request) == 0;
}

static uint32_t count_features(int file, const char *interface) {
  struct {
    struct ethtool_sset_info info;
    uint32_t count;
  } about = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = UINT64_C(1) << ETH_SS_FEATURES}};
  if (!ask(file, interface, &about)) return 0;
  return about.count > MOST_FEATURES ? MOST_FEATURES : about.count;
}

static const char *find_active(const struct ethtool_gstrings *names, const struct ethtool_gfeatures *features) {
  for (const char *const *wanted = JOINING; *wanted != NULL; wanted++)
    for (uint32_t i = 0; i < names->len; i++) {
      const char *name = (const char *)names->data + (size_t)i * ETH_GSTRING_LEN;
      bool is_active = (features->features[i / BITS].active >> i % BITS & 1) != 0;
      if (is_active && strncmp(name, *wanted, ETH_GSTRING_LEN) == 0) return *wanted;
    }
  return NULL;
}

static bool read_features(int file, const char *interface, const char **name) {
  uint32_t count = count_features(file, interface);
  uint32_t blocks = (count + BITS - 1) / BITS;
  struct ethtool_gstrings *names = calloc(1, sizeof *names + (size_t)count * ETH_GSTRING_LEN);
  struct ethtool_gfeatures *features = calloc(1, sizeof *features + blocks * sizeof features->features[0]);
  bool is_known = false;
  if (count > 0 && names != NULL && features != NULL) {
    *names = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count};
    *features = (struct ethtool_gfeatures){.cmd = ETHTOOL_GFEATURES, .size = blocks};
    is_known = ask(file, interface, names) && ask(file, interface, features);
    if (is_known) *name = find_active(names, features);
  }
  free(names);
  free(features);
  return is_known;
}

bool offloads_find_joining(const char *interface, const char **name) {
  int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  *name = NULL;
  if (file < 0) return false;
  bool is_known = read_features(file, interface, name);
  close(file);
  return is_known;
}
