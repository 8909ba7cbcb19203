#include "arrivals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "failure.h"

/* 16 MiB of times. */
#define MOST_ARRIVALS (UINT64_C(2) * 1024 * 1024)
#define FEWEST_ARRIVALS 2
#define LONGEST_INTERVAL_NS (UINT64_C(3600) * NS_PER_SECOND)

static void add(struct arrivals *arrivals, uint64_t interval_ns) {
  arrivals->times[arrivals->count++] = arrivals->cycle;
  arrivals->cycle += interval_ns;
}

static uint64_t parse_interval(const char *file, size_t line, char *text) {
  char *end;
  text[strcspn(text, "\r\n")] = '\0';
  errno = 0;
  unsigned long long interval_ns = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || interval_ns > LONGEST_INTERVAL_NS)
    usage("%.200s:%zu: expected the time to the next arrival, whole ns up to 3600000000000, got \"%.40s\"", file, line, text);
  return interval_ns;
}

static void read_file(struct arrivals *arrivals, const char *file) {
  char line[64];
  FILE *lines = fopen(file, "re");
  if (lines == NULL) usage("--pattern %.200s: %s", file, strerror(errno));
  while (fgets(line, sizeof line, lines) != NULL) {
    if (arrivals->count == MOST_ARRIVALS) usage("%.200s: more than %llu arrivals", file, (unsigned long long)MOST_ARRIVALS);
    add(arrivals, parse_interval(file, arrivals->count + 1, line));
  }
  if (ferror(lines)) usage("--pattern %.200s: %s", file, strerror(errno));
  fclose(lines);
}

void arrivals_load(struct arrivals *arrivals, const char *file) {
  size_t most = file == NULL ? feed_pattern_count : MOST_ARRIVALS;
  *arrivals = (struct arrivals){.times = calloc(most, sizeof *arrivals->times)};
  if (arrivals->times == NULL) fail("no memory for %zu arrivals", most);
  if (file != NULL) read_file(arrivals, file);
  else
    for (size_t i = 0; i < feed_pattern_count; i++) add(arrivals, feed_pattern[i]);
  if (arrivals->count < FEWEST_ARRIVALS || arrivals->cycle == 0)
    usage("--pattern %.200s: expected two times or more, not all 0", file == NULL ? "of its own" : file);
}

void arrivals_scale(struct arrivals *arrivals, uint64_t rate_hz) {
  uint64_t cycle_ns = arrivals->cycle;
  uint64_t cycle_ticks = (uint64_t)((unsigned __int128)clock_ticks_in(NS_PER_SECOND) * arrivals->count / rate_hz);
  for (size_t i = 0; i < arrivals->count; i++)
    arrivals->times[i] = (uint64_t)((unsigned __int128)arrivals->times[i] * cycle_ticks / cycle_ns);
  arrivals->cycle = cycle_ticks;
}

void arrivals_begin(struct arrivals *arrivals, uint64_t now) {
  arrivals->next = 0;
  arrivals->cycle_begun = now;
}

uint64_t arrivals_next(struct arrivals *arrivals) {
  if (UNLIKELY(arrivals->next == arrivals->count)) {
    arrivals->next = 0;
    arrivals->cycle_begun += arrivals->cycle;
  }
  return arrivals->cycle_begun + arrivals->times[arrivals->next++];
}
