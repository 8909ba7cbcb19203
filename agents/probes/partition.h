/*
 * The cpuset partition that a profile makes (src/tuning/isolation): a threaded cgroup directly below another one, its domain. Of one process
 * some threads are in the partition, and run on isolated CPUs, the others in the domain. https://docs.kernel.org/admin-guide/cgroup-v2.html#threads
 */
#ifndef HFT_PARTITION_H
#define HFT_PARTITION_H

#include <stdbool.h>
#include <sys/types.h>

#include "cpu_list.h"

struct partition {
  const char *mount; /* where the cgroup v2 tree is: /sys/fs/cgroup */
  const char *cgroup; /* as /proc/PID/cgroup has it: /hft.slice */
  cpu_set_t cpus; /* those of the partition that the process has to itself */
};

/* MOUNT:CGROUP:CPUS, such as /sys/fs/cgroup:/hft.slice:2-3. The text is kept and changed. Ends the program when it is none. */
struct partition partition_parse(char *text);

/* Why nothing that is put there would be isolated, a sentence without a full stop; NULL: it is isolated. The text is that of the last call. */
const char *partition_refusal(const struct partition *partition);

/* What partition_join was refused by: a call or file, with its errno. */
struct partition_failure {
  const char *call;
  int code;
};

/* Whether the thread is where its CPUs are: in the partition, or in its domain. The process is moved to the domain first where it is elsewhere. */
bool partition_join(const struct partition *partition, pid_t pid, pid_t tid, const cpu_set_t *cpus, bool *moved, struct partition_failure *failure);

/* hft-probe check-partition MOUNT:CGROUP:CPUS: nothing is started where the partition is not in effect. */
int check_partition(char **arguments);

#endif
