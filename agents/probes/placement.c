#include "placement.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

#define NS_PER_S UINT64_C(1000000000)

void end_with_parent(pid_t parent) {
  pid_t before = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl(PR_SET_PDEATHSIG): %s", strerror(errno));
  /* It may have ended before the call; then somebody else is the parent by now. */
  if (getppid() != before || (parent != 0 && before != parent)) fail("the parent ended before the start");
}

void end_at_deadline(uint64_t deadline_ns) {
  struct sigevent kill_us = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
  struct itimerspec when = {.it_value = {.tv_sec = (time_t)(deadline_ns / NS_PER_S + 1), .tv_nsec = (long)(deadline_ns % NS_PER_S)}};
  timer_t timer;
  if (timer_create(CLOCK_BOOTTIME, &kill_us, &timer) != 0 || timer_settime(timer, 0, &when, NULL) != 0)
    fail("no timer for the deadline: %s", strerror(errno));
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((unsigned)cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return;
  if (errno == EINVAL) unsupported("a CPU that is online and in the cpuset of hft", "nothing can be pinned to CPU %d", cpu);
  fail("CPU %d: sched_setaffinity: %s", cpu, strerror(errno));
}

bool place_control(const struct options *options) {
  cpu_set_t set;
  if (options->control_cpu != NOBODY) {
    pin_to(options->control_cpu);
    for (int i = 0; i < options->cpu_count; i++)
      if (options->cpus[i] == options->control_cpu) return true;
    return false;
  }
  if (sched_getaffinity(0, sizeof set, &set) != 0) fail("sched_getaffinity: %s", strerror(errno));
  for (int i = 0; i < options->cpu_count; i++) CPU_CLR((unsigned)options->cpus[i], &set);
  if (CPU_COUNT(&set) == 0) return true;
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity of the control thread: %s", strerror(errno));
  return false;
}

void set_policy(int fifo_priority) {
  if (fifo_priority == 0) return;
  struct sched_param wanted = {.sched_priority = fifo_priority};
  if (sched_setscheduler(0, SCHED_FIFO, &wanted) == 0) return;
  if (errno == EPERM)
    unsupported("CAP_SYS_NICE (root), or an rtprio limit of at least that priority: profile key limits.users.NAME.rtprio",
                "SCHED_FIFO priority %d is not allowed here", fifo_priority);
  fail("sched_setscheduler(SCHED_FIFO, %d): %s", fifo_priority, strerror(errno));
}

void set_smallest_timer_slack(void) {
  if (prctl(PR_SET_TIMERSLACK, 1UL) != 0) fail("prctl(PR_SET_TIMERSLACK): %s", strerror(errno));
}

void hold_dma_latency(int64_t latency_us) {
  if (latency_us == NOBODY) return;
  int32_t wanted = (int32_t)latency_us;
  int file = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, &wanted, sizeof wanted) != (ssize_t)sizeof wanted)
    unsupported("write access to /dev/cpu_dma_latency (root)", "idle states cannot be held off: %s", strerror(errno));
}

const char *lock_memory(void) {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return NULL;
  return errno == ENOMEM || errno == EPERM ? "memory cannot be locked: the memlock limit is too small (profile key limits)" : strerror(errno);
}

void *allocate_local(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) fail("no memory: %zu bytes: %s", bytes, strerror(errno));
  return memory;
}

struct thread_usage thread_usage_now(void) {
  struct rusage now;
  if (getrusage(RUSAGE_THREAD, &now) != 0) fail("getrusage: %s", strerror(errno));
  return (struct thread_usage){now.ru_nivcsw, now.ru_nvcsw, now.ru_minflt, now.ru_majflt};
}

struct thread_usage thread_usage_between(struct thread_usage from, struct thread_usage to) {
  return (struct thread_usage){to.involuntary_switches - from.involuntary_switches, to.voluntary_switches - from.voluntary_switches,
                               to.minor_faults - from.minor_faults, to.major_faults - from.major_faults};
}
