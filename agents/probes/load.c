#include "load.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "frames.h"
#include "loopback.h"
#include "options.h"
#include "placement.h"

enum { HOUSEKEEPING, NETWORK };

#define WORK_NS (8 * 1000 * 1000)
#define REST_NS (2 * 1000 * 1000)

static uint64_t kind = HOUSEKEEPING;
static const char *const KINDS[] = {"housekeeping", "network", NULL};
static const struct option_spec own[] = {{.name = "kind", .value = &kind, .choices = KINDS}, {0}};

static struct bearer bearers[MOST_CPUS];

static void rest(void) {
  struct timespec pause = {.tv_nsec = REST_NS};
  nanosleep(&pause, NULL);
}

/* Packets go from the first CPU to the second, from the third to the fourth. */
static bool receives(const struct bearer *bearer) { return bearer->receiver >= 0; }

static void *bear(void *argument) {
  struct bearer *bearer = argument;
  pin_to(bearer->cpu);
  pthread_barrier_wait(bearer->begin);
  if (receives(bearer)) {
    load_receive(bearer);
    return NULL;
  }
  while (!load_stopped(bearer)) {
    uint64_t until = raw_clock_ns() + WORK_NS;
    if (kind == NETWORK) load_send(bearer, until);
    else load_housekeeping(bearer, until);
    rest();
  }
  return NULL;
}

static void pair_up(int count) {
  if (count % 2 != 0) usage("--cpus: a load of packets needs CPUs in pairs, got %d", count);
  for (int i = 0; i < count; i += 2) {
    int pair[2];
    loopback_udp(pair);
    bearers[i].sender = pair[0];
    bearers[i + 1].receiver = pair[1];
  }
}

/* What hft itself runs with may be another; 0 from a lower priority needs a right that may be missing, and the result says which it is. */
static void be_ordinary(void) {
  struct sched_param none = {0};
  if (sched_setscheduler(0, SCHED_OTHER, &none) != 0) fail("sched_setscheduler(SCHED_OTHER): %s", strerror(errno));
  (void)setpriority(PRIO_PROCESS, 0, 0);
}

/* Until it is asked to end, or the deadline. Returns whether it was asked. */
static bool wait_for_end(const sigset_t *ends, uint64_t until_raw_ns) {
  for (;;) {
    uint64_t now = raw_clock_ns();
    if (now >= until_raw_ns) return false;
    uint64_t left = until_raw_ns - now;
    struct timespec most = {.tv_sec = (time_t)(left / NS_PER_SECOND), .tv_nsec = (long)(left % NS_PER_SECOND)};
    if (sigtimedwait(ends, NULL, &most) > 0) return true;
  }
}

static void print_result(int count, double seconds, bool was_asked) {
  struct bearer sum = {0};
  struct text text = {0};
  text_add(&text, "{\"kind\":\"%s\",\"cpus\":[", KINDS[kind]);
  for (int i = 0; i < count; i++) {
    const struct bearer *bearer = &bearers[i];
    text_add(&text, "%s%d", i == 0 ? "" : ",", bearer->cpu);
    sum.copied_bytes += bearer->copied_bytes;
    sum.system_calls += bearer->system_calls;
    sum.mappings += bearer->mappings;
    sum.processes += bearer->processes;
    sum.sent += bearer->sent;
    sum.sent_bytes += bearer->sent_bytes;
    sum.received += bearer->received;
  }
  text_add(&text, "],\"nice\":%d,\"seconds\":%.6f,\"ended\":\"%s\"", getpriority(PRIO_PROCESS, 0), seconds, was_asked ? "asked" : "deadline");
  if (kind == HOUSEKEEPING)
    text_add(&text, ",\"copiedBytes\":%llu,\"systemCalls\":%llu,\"mappings\":%llu,\"processes\":%llu}\n", (unsigned long long)sum.copied_bytes,
             (unsigned long long)sum.system_calls, (unsigned long long)sum.mappings, (unsigned long long)sum.processes);
  else
    text_add(&text, ",\"sentPackets\":%llu,\"sentBytes\":%llu,\"receivedPackets\":%llu}\n", (unsigned long long)sum.sent,
             (unsigned long long)sum.sent_bytes, (unsigned long long)sum.received);
  if (write(STDOUT_FILENO, text.data, text.length) != (ssize_t)text.length) fail("standard output cannot be written: %s", strerror(errno));
  text_free(&text);
}

static void start_bearers(const struct options *options, atomic_bool *stop, pthread_barrier_t *begin) {
  for (int i = 0; i < options->cpu_count; i++)
    bearers[i] = (struct bearer){.cpu = options->cpus[i], .receiver = NOBODY, .sender = NOBODY, .stop = stop, .begin = begin};
  if (kind == NETWORK) pair_up(options->cpu_count);
  for (int i = 0; i < options->cpu_count; i++) {
    int error = pthread_create(&bearers[i].thread, NULL, bear, &bearers[i]);
    if (error != 0) fail("a thread cannot be started: %s", strerror(error));
  }
  pthread_barrier_wait(begin);
}

int load(char **arguments) {
  static struct options options;
  static atomic_bool stop;
  uint64_t begun_raw_ns = raw_clock_ns();
  pthread_barrier_t begin;
  sigset_t ends;
  options_parse(&options, own, arguments);
  end_with_parent(options.parent);
  end_at_deadline(options.deadline_ns);
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, NULL);
  be_ordinary();
  pthread_barrier_init(&begin, NULL, (unsigned)options.cpu_count + 1);
  start_bearers(&options, &stop, &begin);
  uint64_t start_raw_ns = raw_clock_ns();
  static const char ready[] = "ready\n";
  if (write(STDOUT_FILENO, ready, strlen(ready)) != (ssize_t)strlen(ready)) fail("standard output cannot be written: %s", strerror(errno));
  bool was_asked = wait_for_end(&ends, begun_raw_ns + options.deadline_ns);
  atomic_store(&stop, true);
  double seconds = (double)(raw_clock_ns() - start_raw_ns) / 1e9;
  for (int i = 0; i < options.cpu_count; i++) pthread_join(bearers[i].thread, NULL);
  print_result(options.cpu_count, seconds, was_asked);
  return EXIT_DONE;
}
