/* The list of probes. One file each. */
#ifndef HFT_PROBES_H
#define HFT_PROBES_H

#include "run.h"

extern const struct probe jitter_probe;
extern const struct probe wakeup_probe;
extern const struct probe core_to_core_probe;
extern const struct probe shm_probe;
extern const struct probe unix_probe;
extern const struct probe pipe_probe;
extern const struct probe futex_probe;
extern const struct probe tcp_probe;
extern const struct probe udp_probe;
extern const struct probe redis_probe;
extern const struct probe memcached_probe;
extern const struct probe network_probe;
extern const struct probe pipeline_probe;

#endif
