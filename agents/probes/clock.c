#include "clock.h"

#include <stdio.h>
#include <string.h>

#include "histogram.h"

#define PAIRS 2000
#define BATCHES 64
#define READS 1000

struct clock_state clock_state = {.source = "raw", .why_raw = "not chosen yet", .hz = 1e9, .ns_per_tick_32 = UINT64_C(1) << 32};

/* Whether the line of a file that starts with `key` has the word; without a key its first line. */
static bool file_has_word(const char *path, const char *key, const char *word) {
  static char line[8192];
  bool found = false;
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  while (!found && fgets(line, sizeof line, file) != NULL) {
    if (key != NULL && strncmp(line, key, strlen(key)) != 0) continue;
    for (char *rest, *part = strtok_r(line, " \t\n", &rest); part != NULL; part = strtok_r(NULL, " \t\n", &rest))
      if (strcmp(part, word) == 0) found = true;
    break;
  }
  fclose(file);
  return found;
}

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static const char *distrust_counter(void) {
#if defined(__x86_64__)
  if (!file_has_word("/proc/cpuinfo", "flags", "constant_tsc")) return "the TSC changes with the frequency (no constant_tsc)";
  if (!file_has_word("/proc/cpuinfo", "flags", "nonstop_tsc")) return "the TSC stops in deep idle states (no nonstop_tsc)";
  if (!file_has_word(CLOCKSOURCE, NULL, "tsc")) return "the kernel does not use the TSC as its clock source";
  return NULL;
#elif defined(__aarch64__)
  return file_has_word(CLOCKSOURCE, NULL, "arch_sys_counter") ? NULL : "the kernel does not use the system counter as its clock source";
#else
  return "no counter is known for this architecture";
#endif
}

void clock_choose(bool force_raw) {
  clock_state.why_raw = force_raw ? "asked for" : distrust_counter();
  clock_state.is_counter = clock_state.why_raw == NULL;
#if defined(__aarch64__)
  const char *counter = "cntvct";
#else
  const char *counter = "tsc";
#endif
  clock_state.source = clock_state.is_counter ? counter : "raw";
}

void clock_print_choice(void) {
  printf("{\"source\":\"%s\"", clock_state.source);
  if (clock_state.why_raw != NULL) printf(",\"whyRaw\":\"%s\"", clock_state.why_raw);
  printf("}\n");
}

struct calibration_point clock_pair(void) {
  struct calibration_point best = {.bracket_ticks = UINT64_MAX};
  if (!clock_state.is_counter) {
    uint64_t now = raw_clock_ns();
    return (struct calibration_point){.ticks = now, .raw_ns = now, .bracket_ticks = 0};
  }
  for (int i = 0; i < PAIRS; i++) {
    uint64_t before = counter_read_ordered();
    uint64_t raw_ns = raw_clock_ns();
    uint64_t after = counter_read_ordered();
    if (after - before < best.bracket_ticks)
      best = (struct calibration_point){.ticks = before + (after - before) / 2, .raw_ns = raw_ns, .bracket_ticks = after - before};
  }
  return best;
}

double clock_hz_between(struct calibration_point from, struct calibration_point to) {
  if (!clock_state.is_counter) return 1e9;
  return (double)(to.ticks - from.ticks) * 1e9 / (double)(to.raw_ns - from.raw_ns);
}

double clock_error_ppm(struct calibration_point from, struct calibration_point to) {
  if (!clock_state.is_counter) return 0;
  return (double)(from.bracket_ticks + to.bracket_ticks) / 2 / (double)(to.ticks - from.ticks) * 1e6;
}

void clock_calibrate(struct calibration_point from, struct calibration_point to) {
  clock_state.hz = clock_hz_between(from, to);
  clock_state.ns_per_tick_32 = clock_state.is_counter ? (uint64_t)(1e9 / clock_state.hz * 4294967296.0 + 0.5) : UINT64_C(1) << 32;
  clock_state.epoch = to;
}

uint64_t clock_ticks_in(uint64_t ns) {
  return (uint64_t)(((unsigned __int128)ns << 32) / clock_state.ns_per_tick_32);
}

uint64_t clock_raw_ns_at(uint64_t ticks) {
  if (ticks >= clock_state.epoch.ticks) return clock_state.epoch.raw_ns + clock_ns_of(ticks - clock_state.epoch.ticks);
  return clock_state.epoch.raw_ns - clock_ns_of(clock_state.epoch.ticks - ticks);
}

static double ns_per(uint64_t ticks, int times) { return (double)ticks / times * 1e9 / clock_state.hz; }

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Differences seen only once or twice among thousands can be a step of the counter that the hypervisor corrected. */
#define RARE 3
#define LONGEST_COUNTED 4096
/* A read of a clock outside of the CPU takes microseconds. */
#define LONGEST_STEP 65536

uint64_t clock_quantum_of_counter(const uint32_t *seen, uint64_t length) {
  uint64_t quantum = 0;
  for (uint64_t step = 1; step < length; step++)
    if (seen[step] > RARE) quantum = greatest_common_divisor(step, quantum);
  return quantum;
}

uint64_t clock_quantum_of_ns(const uint32_t *seen, uint64_t length) {
  uint64_t least = 0, before = 0;
  for (uint64_t step = 1; step < length; step++) {
    if (seen[step] <= RARE) continue;
    uint64_t first = step;
    while (step + 1 < length && seen[step + 1] > RARE) step++;
    /* A whole number of steps, rounded at both ends, is one of two neighbours. More of them in a row are steps of 1. */
    if (step - first > 1) return 1;
    if (least == 0 || first - before < least) least = first - before;
    before = first;
  }
  return least;
}

static double measure_quantum_ticks(void) {
  static uint32_t seen[LONGEST_STEP];
  memset(seen, 0, sizeof seen);
  uint64_t shortest = UINT64_MAX;
  uint64_t before = clock_read(clock_state.is_counter);
  for (int i = 0; i < BATCHES * READS; i++) {
    uint64_t now = clock_read(clock_state.is_counter);
    if (now - before < LONGEST_STEP) seen[now - before]++;
    if (now > before && now - before < shortest) shortest = now - before;
    before = now;
  }
  uint64_t quantum = clock_state.is_counter ? clock_quantum_of_counter(seen, LONGEST_COUNTED) : clock_quantum_of_ns(seen, LONGEST_STEP);
  /* No difference came again and again: nothing finer than the shortest is known. */
  return (double)(quantum == 0 ? shortest : quantum);
}

/* The cheapest of many batches: what the code costs when nothing else runs. */
#define CHEAPEST(ticks, code)                                    \
  do {                                                           \
    for (int batch = 0; batch < BATCHES; batch++) {              \
      uint64_t begun = clock_read(clock_state.is_counter);       \
      for (int i = 0; i < READS; i++) {                          \
        code;                                                    \
      }                                                          \
      uint64_t took = clock_read(clock_state.is_counter) - begun; \
      if (took < (ticks)) (ticks) = took;                        \
    }                                                            \
  } while (0)

struct clock_floor clock_measure_floor(void) {
  static struct histogram scratch;
  uint64_t read = UINT64_MAX, ordered = UINT64_MAX, record = UINT64_MAX;
  volatile uint64_t sink;
  CHEAPEST(read, sink = clock_read(clock_state.is_counter));
  CHEAPEST(ordered, sink = clock_now());
  histogram_clear(&scratch);
  CHEAPEST(record, histogram_record(&scratch, (uint64_t)i * 37));
  (void)sink;
  return (struct clock_floor){.quantum_ns = measure_quantum_ticks() * 1e9 / clock_state.hz,
                              .read_ns = ns_per(read, READS),
                              .ordered_read_ns = ns_per(ordered, READS),
                              .record_ns = ns_per(record, READS)};
}
