#include "run.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "failure.h"
#include "jitter.h"

#ifndef HFT_VERSION
#define HFT_VERSION "0"
#endif

/* Enough for the threads' few frames; memory that is locked should be small. */
#define STACK_BYTES (256 * 1024)
#define QUICK_CALIBRATION_NS (20 * 1000 * 1000)
/* Between the last word to the workers and the start: they are awake by then. */
#define START_IN_NS (2 * 1000 * 1000)
#define LONGEST_CONTROL_PAUSE_NS (25 * 1000 * 1000)

/* The one run of this process; its signal handler needs it. */
static struct run the_run;
static volatile sig_atomic_t signal_seen;

static void note_signal(int signal) {
  signal_seen = signal;
  atomic_store(&the_run.stop, true);
}

static void sleep_ns(uint64_t ns) {
  struct timespec pause = {.tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND)};
  nanosleep(&pause, NULL);
}

/* The workers block these, so that the control thread gets them. */
static void take_signals(void) {
  struct sigaction action = {.sa_handler = note_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
}

static void wait_for_all(struct run *run) { pthread_barrier_wait(&run->barrier); }

static void *work(void *argument) {
  struct worker *worker = argument;
  struct run *run = worker->run;
  pin_to(worker->cpu);
  run->probe->allocate(worker);
  wait_for_all(run); /* allocated: the control thread locks memory and calibrates quickly */
  wait_for_all(run);
  set_policy(run->options.fifo_priority);
  if (run->options.fifo_priority == 0) set_smallest_timer_slack();
  if (worker->index == 0) {
    run->floor = clock_measure_floor();
    run->loop_ns = jitter_loop_ns();
  }
  run->probe->warm_up(worker, run->start);
  wait_for_all(run); /* warm: the control thread calibrates and sets the span */
  wait_for_all(run);
  struct thread_usage before = thread_usage_now();
  while (clock_read(clock_state.is_counter) < run->start && !run_stopped(run)) {
  }
  run->probe->measure(worker);
  worker->usage = thread_usage_between(before, thread_usage_now());
  worker->cpu_last_seen = sched_getcpu();
  atomic_fetch_sub(&run->running, 1);
  return NULL;
}

static void start_workers(struct run *run) {
  pthread_attr_t attributes;
  sigset_t ours, before;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ours, &before);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  for (int i = 0; i < run->worker_count; i++) {
    struct worker *worker = &run->workers[i];
    *worker = (struct worker){.run = run, .index = i, .cpu = run->options.cpus[i], .cpu_last_seen = NOBODY};
    int error = pthread_create(&worker->thread, &attributes, work, worker);
    if (error != 0) fail("a thread cannot be started: %s", strerror(error));
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static const char *why_stop(uint64_t deadline_raw_ns) {
  if (signal_seen == SIGINT) return "SIGINT";
  if (signal_seen != 0) return "SIGTERM";
  return raw_clock_ns() >= deadline_raw_ns ? "deadline" : NULL;
}

/* Empties what the workers fill until all have ended. Returns why the run was cut, or NULL. */
static const char *control(struct run *run, uint64_t deadline_raw_ns) {
  const char *cut = NULL;
  uint64_t pause_ns = run->options.block_ns / 4 < LONGEST_CONTROL_PAUSE_NS ? run->options.block_ns / 4 : LONGEST_CONTROL_PAUSE_NS;
  while (atomic_load(&run->running) > 0) {
    sleep_ns(pause_ns);
    run->probe->empty(run);
    if (cut == NULL && (cut = why_stop(deadline_raw_ns)) != NULL) atomic_store(&run->stop, true);
  }
  for (int i = 0; i < run->worker_count; i++) pthread_join(run->workers[i].thread, NULL);
  run->probe->empty(run);
  /* The workers see a signal at once and may all have ended before this thread looked. */
  return cut == NULL && run_stopped(run) ? why_stop(deadline_raw_ns) : cut;
}

static void write_meta(struct run *run, const char *unlocked) {
  struct text meta = {0};
  const struct options *options = &run->options;
  text_add(&meta, "{\"probe\":\"%s\",\"version\":\"%s\",\"format\":1", run->probe->name, HFT_VERSION);
  run->probe->describe(run, &meta);
  text_add(&meta, ",\"clock\":{\"source\":\"%s\",\"hz\":%.3f,\"quantumNs\":%.4f,\"readNs\":%.3f,\"orderedReadNs\":%.3f,\"recordNs\":%.3f,\"loopNs\":%.3f",
           clock_state.source, clock_state.hz, run->floor.quantum_ns, run->floor.read_ns, run->floor.ordered_read_ns,
           run->floor.record_ns, run->loop_ns);
  if (clock_state.why_raw != NULL) text_add(&meta, ",\"whyRaw\":\"%s\"", clock_state.why_raw);
  /* Beyond what a JSON number can hold exactly. */
  text_add(&meta, ",\"epochTicks\":\"%llu\",\"epochNs\":\"%llu\"}", (unsigned long long)clock_state.epoch.ticks,
           (unsigned long long)clock_state.epoch.raw_ns);
  text_add(&meta, ",\"policy\":\"%s\",\"fifoPriority\":%d", options->fifo_priority > 0 ? "fifo" : "other", options->fifo_priority);
  if (options->dma_latency_us != NOBODY) text_add(&meta, ",\"dmaLatencyUs\":%lld", (long long)options->dma_latency_us);
  text_add(&meta, ",\"durationNs\":%llu,\"warmupNs\":%llu,\"blockNs\":%llu", (unsigned long long)options->duration_ns,
           (unsigned long long)options->warmup_ns, (unsigned long long)options->block_ns);
  text_add(&meta, ",\"controlShared\":%s,\"memoryLocked\":%s", run->control_shared ? "true" : "false", unlocked == NULL ? "true" : "false");
  if (unlocked != NULL) text_add(&meta, ",\"whyUnlocked\":\"%s\"", unlocked);
  text_add(&meta, "}");
  frame_json(FRAME_META, &meta);
  text_free(&meta);
}

struct calibration {
  struct calibration_point first;
  struct calibration_point start;
  struct calibration_point end;
};

static void write_result(struct run *run, const struct calibration *calibration, const char *cut) {
  struct text result = {0};
  struct thread_usage sum = {0};
  double start_hz = clock_hz_between(calibration->first, calibration->start);
  double end_hz = clock_hz_between(calibration->start, calibration->end);
  text_add(&result, "{\"calibration\":{\"startHz\":%.3f,\"endHz\":%.3f,\"ppm\":%.4f,\"errorPpm\":%.4f}", start_hz, end_hz,
           (end_hz - start_hz) / start_hz * 1e6,
           clock_error_ppm(calibration->first, calibration->start) + clock_error_ppm(calibration->start, calibration->end));
  text_add(&result, ",\"startTicks\":\"%llu\",\"threads\":[", (unsigned long long)run->start);
  for (int i = 0; i < run->worker_count; i++) {
    const struct worker *worker = &run->workers[i];
    text_add(&result, "%s{\"cpu\":%d,\"cpuLastSeen\":%d,\"involuntarySwitches\":%lld,\"voluntarySwitches\":%lld,\"minorFaults\":%lld,\"majorFaults\":%lld}",
             i == 0 ? "" : ",", worker->cpu, worker->cpu_last_seen, (long long)worker->usage.involuntary_switches,
             (long long)worker->usage.voluntary_switches, (long long)worker->usage.minor_faults, (long long)worker->usage.major_faults);
    sum.involuntary_switches += worker->usage.involuntary_switches;
    sum.voluntary_switches += worker->usage.voluntary_switches;
    sum.minor_faults += worker->usage.minor_faults;
    sum.major_faults += worker->usage.major_faults;
  }
  text_add(&result, "],\"cpuLastSeen\":[");
  for (int i = 0; i < run->worker_count; i++) text_add(&result, "%s%d", i == 0 ? "" : ",", run->workers[i].cpu_last_seen);
  text_add(&result, "],\"involuntarySwitches\":%lld,\"voluntarySwitches\":%lld,\"minorFaults\":%lld,\"majorFaults\":%lld",
           (long long)sum.involuntary_switches, (long long)sum.voluntary_switches, (long long)sum.minor_faults, (long long)sum.major_faults);
  run->probe->conclude(run, &result);
  if (cut != NULL) text_add(&result, ",\"cut\":\"%s\"", cut);
  text_add(&result, "}");
  frame_json(FRAME_RESULT, &result);
  text_free(&result);
}

static void calibrate_quickly(struct calibration *calibration) {
  calibration->first = clock_pair();
  sleep_ns(QUICK_CALIBRATION_NS);
  clock_calibrate(calibration->first, clock_pair());
}

static void prepare(struct run *run, const struct probe *probe, char **arguments) {
  *run = (struct run){.probe = probe};
  options_parse(&run->options, probe->options, arguments);
  end_with_parent(run->options.parent);
  end_at_deadline(run->options.deadline_ns);
  take_signals();
  run->worker_count = probe->prepare == NULL ? run->options.cpu_count : probe->prepare(run);
  run->control_shared = place_control(&run->options);
  /* Again, from a CPU that does not measure: with PREEMPT_RT timers expire in a thread, which a realtime thread that never sleeps keeps
   * from running on the CPU where they were set. */
  if (run->options.fifo_priority > 0) end_at_deadline(run->options.deadline_ns);
  if (run->control_shared && run->options.fifo_priority > 0 && probe->spins())
    usage("--policy fifo: a spinning thread would lock out the control thread, which has no CPU of its own");
  hold_dma_latency(run->options.dma_latency_us);
  run->workers = calloc((size_t)run->worker_count, sizeof *run->workers);
  if (run->workers == NULL) fail("no memory for %d threads", run->worker_count);
  atomic_store(&run->running, run->worker_count);
  pthread_barrier_init(&run->barrier, NULL, (unsigned)run->worker_count + 1);
}

void run_probe(const struct probe *probe, char **arguments) {
  struct run *run = &the_run;
  uint64_t begun_raw_ns = raw_clock_ns();
  struct calibration calibration;
  prepare(run, probe, arguments);
  uint64_t deadline_raw_ns = begun_raw_ns + run->options.deadline_ns;
  start_workers(run);
  wait_for_all(run);
  const char *unlocked = lock_memory();
  calibrate_quickly(&calibration);
  run->start = clock_read(clock_state.is_counter) + clock_ticks_in(run->options.warmup_ns);
  wait_for_all(run);
  wait_for_all(run);
  calibration.start = clock_pair();
  clock_calibrate(calibration.first, calibration.start);
  write_meta(run, unlocked);
  run->start = clock_read(clock_state.is_counter) + clock_ticks_in(START_IN_NS);
  run->end = run->start + clock_ticks_in(run->options.duration_ns);
  wait_for_all(run);
  const char *cut = control(run, deadline_raw_ns);
  calibration.end = clock_pair();
  write_result(run, &calibration, cut);
}
