/*
 * The clock of the measuring loops: the CPU's counter where it can be trusted (x86-64 TSC that is constant, does not
 * stop, and that the kernel itself uses as its clock source; aarch64 CNTVCT_EL0), else CLOCK_MONOTONIC_RAW.
 * Times are `ticks` of that clock; calibration ties them to CLOCK_MONOTONIC_RAW.
 */
#ifndef HFT_CLOCK_H
#define HFT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "attributes.h"

#define NS_PER_SECOND UINT64_C(1000000000)

struct calibration_point {
  uint64_t ticks;
  uint64_t raw_ns;
  uint64_t bracket_ticks; /* `ticks` is right within half of this */
};

struct clock_floor {
  double quantum_ns;      /* steps of the counter */
  double read_ns;         /* one read after the other */
  double ordered_read_ns; /* a pair that nothing is moved across, as intervals are measured */
  double record_ns;       /* one value into a histogram */
};

/* What ticks mean. Set before the measuring threads start to measure, only read afterwards. */
extern struct clock_state {
  bool is_counter;
  const char *source;     /* tsc, cntvct, raw */
  const char *why_raw;    /* NULL when the counter is used */
  double hz;
  uint64_t ns_per_tick_32; /* 32.32 fixed point */
  struct calibration_point epoch;
} clock_state;

/* Decides which clock to use. `--clock raw` asks for the fallback. */
void clock_choose(bool force_raw);

/* `hft-probe clock`: which clock the probes would use now, as {"source":"raw","whyRaw":"..."}. */
void clock_print_choice(void);

/* The pair (ticks, CLOCK_MONOTONIC_RAW) with the tightest bracket of many. */
struct calibration_point clock_pair(void);

double clock_hz_between(struct calibration_point from, struct calibration_point to);

/* How far the frequency between the two can be off because of the brackets, in parts per million. */
double clock_error_ppm(struct calibration_point from, struct calibration_point to);

/* From here on ticks are converted with the frequency between the two. */
void clock_calibrate(struct calibration_point from, struct calibration_point to);

/*
 * The steps of a clock by how often each difference between two reads was `seen`, up to `length`; 0: none was seen often. Of a counter
 * the greatest common divisor. Of nanoseconds that the kernel made of another clock's steps (279.4 of the ACPI timer) that would be 1, so it is
 * the smallest distance: the step, but for rounding, or several.
 */
uint64_t clock_quantum_of_counter(const uint32_t *seen, uint64_t length);
uint64_t clock_quantum_of_ns(const uint32_t *seen, uint64_t length);

/* Takes about 2 ms; run it pinned where the measuring will be. */
struct clock_floor clock_measure_floor(void);

uint64_t clock_ticks_in(uint64_t ns);
uint64_t clock_raw_ns_at(uint64_t ticks);

static ALWAYS_INLINE uint64_t raw_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* The bare read of jitter's loop. */
static ALWAYS_INLINE uint64_t counter_read(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return raw_clock_ns();
#endif
}

/* Nothing before it is still to come, nothing after it has begun. */
static ALWAYS_INLINE uint64_t counter_read_ordered(void) {
#if defined(__x86_64__)
  __asm__ volatile("lfence" ::: "memory");
  uint64_t ticks = __builtin_ia32_rdtsc();
  __asm__ volatile("lfence" ::: "memory");
  return ticks;
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
  return ticks;
#else
  return raw_clock_ns();
#endif
}

/* `is_counter` is a constant where a loop is made twice, else clock_state's. */
static ALWAYS_INLINE uint64_t clock_read(bool is_counter) { return is_counter ? counter_read() : raw_clock_ns(); }

static ALWAYS_INLINE uint64_t clock_now(void) {
  return LIKELY(clock_state.is_counter) ? counter_read_ordered() : raw_clock_ns();
}

static ALWAYS_INLINE uint64_t clock_ns_of(uint64_t ticks) {
  return (uint64_t)(((unsigned __int128)ticks * clock_state.ns_per_tick_32) >> 32);
}

#endif
