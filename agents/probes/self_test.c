#include "self_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blocks.h"
#include "clock_error.h"
#include "failure.h"
#include "frames.h"
#include "gaps.h"
#include "jitter.h"
#include "offloads.h"

/* `value bucket lowest` of the values on standard input. */
static int print_buckets(void) {
  unsigned long long value;
  while (scanf("%llu", &value) == 1) {
    uint32_t bucket = histogram_bucket(value);
    printf("%llu %u %llu\n", value, bucket, (unsigned long long)histogram_lowest(bucket));
  }
  return EXIT_DONE;
}

/* One frame of each type with contents that are known. */
static int write_frames(void) {
  static struct histogram histogram;
  static struct gap gaps[GAPS_PER_FRAME + 1];
  struct text text = {0};
  text_add(&text, "{\"probe\":\"self-test\",\"long\":\"%0*d\"}", 3000, 7);
  frame_json(FRAME_META, &text);
  text_free(&text);
  histogram_clear(&histogram);
  frame_block(&(struct block_times){.stream = 3, .index = 0, .start_ns = 5, .duration_ns = 100}, &histogram);
  for (uint64_t value = 1; value <= 1000000000; value *= 10) histogram_record(&histogram, value);
  histogram_record(&histogram, 2 * HIGHEST_VALUE);
  frame_block(&(struct block_times){.stream = 3, .index = 7, .start_ns = UINT64_C(1) << 53, .duration_ns = 100}, &histogram);
  for (uint64_t i = 0; i <= GAPS_PER_FRAME; i++) gaps[i] = (struct gap){(UINT64_C(1) << 60) + i, (UINT64_C(1) << 60) + 2 * i + 1};
  frame_gaps(2, gaps, GAPS_PER_FRAME + 1);
  text_add(&text, "{\"done\":true}");
  frame_json(FRAME_RESULT, &text);
  text_free(&text);
  return EXIT_DONE;
}

/* Calibrates as a run does. */
static int print_clock(void) {
  struct timespec pause = {.tv_nsec = 100000000};
  struct calibration_point first = clock_pair();
  nanosleep(&pause, NULL);
  struct calibration_point second = clock_pair();
  clock_calibrate(first, second);
  struct clock_floor floor = clock_measure_floor();
  uint64_t raw_ns = raw_clock_ns();
  uint64_t by_ticks = clock_raw_ns_at(clock_now());
  printf("{\"source\":\"%s\",\"hz\":%.1f,\"errorPpm\":%.4f,\"quantumNs\":%.4f,\"readNs\":%.3f,\"orderedReadNs\":%.3f,\"recordNs\":%.3f,\"loopNs\":%.3f,"
         "\"rawNs\":%llu,\"rawNsByTicks\":%llu,\"nsOfATickedSecond\":%llu}\n",
         clock_state.source, clock_state.hz, clock_error_ppm(first, second), floor.quantum_ns, floor.read_ns, floor.ordered_read_ns,
         floor.record_ns, jitter_loop_ns(), (unsigned long long)raw_ns, (unsigned long long)by_ticks,
         (unsigned long long)clock_ns_of(clock_ticks_in(NS_PER_SECOND)));
  return EXIT_DONE;
}

/* More gaps than are kept, and more at once than the ring holds: `kept smaller overrun smallestKept`. */
static int print_gaps(void) {
  static struct gap_ring ring;
  static struct largest_gaps largest;
  const uint64_t all = 3 * UINT64_C(65536);
  uint64_t smallest = UINT64_MAX;
  /* 40507 and the number of gaps have no common divisor: each length from 1 to `all` comes once, in a wild order. */
  for (uint64_t i = 0; i < all; i++) {
    gap_ring_add(&ring, 1000000 * i, 1000000 * i + 1 + i * 40507 % all);
    if (i % 1000 == 0) gap_ring_take(&ring, &largest);
  }
  gap_ring_take(&ring, &largest);
  for (uint32_t i = 0; i < largest.kept; i++) {
    uint64_t length = largest.heap[i].end_ticks - largest.heap[i].start_ticks;
    if (length < smallest) smallest = length;
  }
  for (uint64_t i = 0; i < GAP_RING + 5; i++) gap_ring_add(&ring, i, i + 1);
  printf("%u %llu %llu %llu\n", largest.kept, (unsigned long long)largest.smaller, (unsigned long long)ring.overrun, (unsigned long long)smallest);
  return EXIT_DONE;
}

/* The steps of a counter and of a clock in ns whose differences are on standard input, `difference times` each. */
static int print_quantum(void) {
  static uint32_t seen[65536];
  unsigned long long difference, times;
  while (scanf("%llu %llu", &difference, &times) == 2 && difference < 65536) seen[difference] = (uint32_t)times;
  printf("%llu %llu\n", (unsigned long long)clock_quantum_of_counter(seen, 65536), (unsigned long long)clock_quantum_of_ns(seen, 65536));
  return EXIT_DONE;
}

/* What `chronyc -n -c tracking` prints, from standard input. */
static int print_chrony(void) {
  char line[512];
  struct clock_error error;
  if (fgets(line, sizeof line, stdin) == NULL) line[0] = '\0';
  clock_error_read(&error, line);
  printf("%d %llu %s\n", error.is_known, (unsigned long long)error.most_ns, error.who);
  return EXIT_DONE;
}

/* Of the interface that is named: `known NAME`. */
static int print_joining(const char *interface) {
  const char *name;
  bool is_known = offloads_find_joining(interface, &name);
  printf("%d %s\n", is_known, name == NULL ? "none" : name);
  return EXIT_DONE;
}

int self_test(char **arguments) {
  const char *what = arguments[0] == NULL ? "" : arguments[0];
  if (strcmp(what, "buckets") == 0) return print_buckets();
  if (strcmp(what, "frames") == 0) return write_frames();
  if (strcmp(what, "clock") == 0) return print_clock();
  if (strcmp(what, "quantum") == 0) return print_quantum();
  if (strcmp(what, "gaps") == 0) return print_gaps();
  if (strcmp(what, "chrony") == 0) return print_chrony();
  if (strcmp(what, "joining") == 0 && arguments[1] != NULL) return print_joining(arguments[1]);
  usage("expected self-test buckets, frames, clock, quantum, gaps, chrony or joining");
}
