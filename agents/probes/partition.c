#include "partition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"

#define LONGEST_PATH 512

static bool is_subset(const cpu_set_t *part, const cpu_set_t *whole) {
  cpu_set_t both;
  CPU_AND(&both, part, whole);
  return CPU_EQUAL(&both, part);
}

static bool is_apart(const cpu_set_t *left, const cpu_set_t *right) {
  cpu_set_t both;
  CPU_AND(&both, left, right);
  return CPU_COUNT(&both) == 0;
}

struct partition partition_parse(char *text) {
  struct partition partition = {.mount = text};
  char *cpus = strrchr(text, ':');
  if (cpus != NULL) *cpus++ = '\0';
  char *cgroup = cpus == NULL ? NULL : strrchr(text, ':');
  if (cgroup != NULL) *cgroup++ = '\0';
  if (cgroup == NULL || text[0] != '/' || cgroup[0] != '/' || cgroup[1] == '\0' || !cpu_list_parse(cpus, &partition.cpus))
    usage("expected a partition such as /sys/fs/cgroup:/hft.slice:2-3");
  partition.cgroup = cgroup;
  return partition;
}

/* The first line of a file, without its end. False when it cannot be read. */
static bool read_line(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t bytes = read(file, text, size - 1);
  int code = errno;
  close(file);
  errno = code;
  if (bytes < 0) return false;
  text[bytes] = '\0';
  text[strcspn(text, "\n")] = '\0';
  return true;
}

static bool read_attribute(const struct partition *partition, const char *name, char *text, size_t size) {
  char path[LONGEST_PATH];
  snprintf(path, sizeof path, "%s%s/%s", partition->mount, partition->cgroup, name);
  return read_line(path, text, size);
}

const char *partition_refusal(const struct partition *partition) {
  static char refusal[LONGEST_PATH + 2 * LONGEST_CPU_LIST];
  char state[256], type[64], effective[LONGEST_CPU_LIST], wanted[LONGEST_CPU_LIST];
  const char *name = partition->cgroup;
  cpu_set_t cpus;
  if (!read_attribute(partition, "cpuset.cpus.partition", state, sizeof state)) {
    snprintf(refusal, sizeof refusal, "there is no cpuset partition %s%s: %s", partition->mount, name, strerror(errno));
    return refusal;
  }
  if (strcmp(state, "isolated") != 0) {
    snprintf(refusal, sizeof refusal, "the cpuset partition %s is not in effect: expected isolated, got %s", name, state);
    return refusal;
  }
  if (!read_attribute(partition, "cgroup.type", type, sizeof type) || strcmp(type, "threaded") != 0) {
    snprintf(refusal, sizeof refusal, "the cpuset partition %s takes whole processes only: its cgroup.type is not threaded", name);
    return refusal;
  }
  if (!read_attribute(partition, "cpuset.cpus.effective", effective, sizeof effective)) effective[0] = '\0';
  if (cpu_list_parse(effective, &cpus) && is_subset(&partition->cpus, &cpus)) return NULL;
  cpu_list_print(&partition->cpus, wanted, sizeof wanted);
  snprintf(refusal, sizeof refusal, "the cpuset partition %s has CPUs %s in effect, expected %s among them", name, effective, wanted);
  return refusal;
}

int check_partition(char **arguments) {
  if (arguments[0] == NULL || arguments[1] != NULL) usage("expected one partition such as /sys/fs/cgroup:/hft.slice:2-3");
  struct partition partition = partition_parse(arguments[0]);
  const char *refusal = partition_refusal(&partition);
  if (refusal != NULL) fail("%s", refusal);
  return EXIT_DONE;
}

/* The cgroup v2 of a thread, from cgroups(7) /proc/PID/cgroup: the line of hierarchy 0, which a host with both versions has last. */
static bool read_cgroup(pid_t pid, pid_t tid, char *cgroup, size_t size) {
  char path[64], text[8192];
  snprintf(path, sizeof path, "/proc/%d/task/%d/cgroup", (int)pid, (int)tid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t bytes = read(file, text, sizeof text - 1);
  close(file);
  if (bytes <= 0) {
    errno = ESRCH;
    return false;
  }
  text[bytes] = '\0';
  for (char *line = text; line != NULL && *line != '\0';) {
    char *next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    if (strncmp(line, "0::", 3) == 0) {
      snprintf(cgroup, size, "%s", line + 3);
      return true;
    }
    line = next;
  }
  errno = ENOENT;
  return false;
}

static bool write_id(const struct partition *partition, const char *cgroup, const char *name, pid_t id) {
  char path[LONGEST_PATH], text[16];
  snprintf(path, sizeof path, "%s%s/%s", partition->mount, cgroup, name);
  int bytes = snprintf(text, sizeof text, "%d", (int)id);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  bool written = write(file, text, (size_t)bytes) == bytes;
  int code = errno;
  close(file);
  errno = code;
  return written;
}

/* A rollback makes it a member and then empties it: who heals must not fill it again. A tree without the cpuset controller says nothing. */
static bool is_taken_back(const struct partition *partition) {
  char state[256];
  return read_attribute(partition, "cpuset.cpus.partition", state, sizeof state) && strcmp(state, "isolated") != 0;
}

static bool refuse(struct partition_failure *failure, const char *call, int code) {
  *failure = (struct partition_failure){.call = call, .code = code};
  return false;
}

bool partition_join(const struct partition *partition, pid_t pid, pid_t tid, const cpu_set_t *cpus, bool *moved, struct partition_failure *failure) {
  char now[LONGEST_PATH], domain[LONGEST_PATH];
  snprintf(domain, sizeof domain, "%s", partition->cgroup);
  *strrchr(domain, '/') = '\0';
  if (domain[0] == '\0') snprintf(domain, sizeof domain, "/");
  bool is_inside = is_subset(cpus, &partition->cpus);
  if (!is_inside && !is_apart(cpus, &partition->cpus)) return refuse(failure, "CPUs both in the partition and outside", EINVAL);
  const char *wanted = is_inside ? partition->cgroup : domain;
  if (!read_cgroup(pid, tid, now, sizeof now)) return refuse(failure, "/proc/PID/cgroup", errno);
  if (strcmp(now, wanted) == 0) return true;
  if (is_inside && is_taken_back(partition)) return refuse(failure, "the cpuset partition is not in effect", EAGAIN);
  *moved = true;
  if (strcmp(now, domain) != 0 && strcmp(now, partition->cgroup) != 0) {
    /* All its threads at once: their cgroups must have one domain. */
    if (!write_id(partition, domain, "cgroup.procs", pid)) return refuse(failure, "cgroup.procs of the domain", errno);
    snprintf(now, sizeof now, "%s", domain);
  }
  if (strcmp(now, wanted) != 0 && !write_id(partition, wanted, "cgroup.threads", tid))
    return refuse(failure, is_inside ? "cgroup.threads of the partition" : "cgroup.threads of the domain", errno);
  if (!read_cgroup(pid, tid, now, sizeof now)) return refuse(failure, "/proc/PID/cgroup", errno);
  return strcmp(now, wanted) == 0 || refuse(failure, "cgroup.threads, read back", EIO);
}
