/* The command line: `hft-probe PROBE --option value ...`. */
#ifndef HFT_OPTIONS_H
#define HFT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MOST_CPUS 1024

struct options {
  int cpus[MOST_CPUS];
  int cpu_count;
  int control_cpu;        /* NOBODY: any that does not measure */
  uint64_t duration_ns;
  uint64_t warmup_ns;
  uint64_t block_ns;
  uint64_t deadline_ns;   /* counted from the start of the program */
  int fifo_priority;      /* 0: SCHED_OTHER */
  int64_t dma_latency_us; /* NOBODY: left alone */
  pid_t parent;           /* 0: whoever it is */
};

#define NOBODY (-1)

/* An option of one probe. With `choices` the value is the index of the word; with `text` it is the word itself. */
struct option_spec {
  const char *name;
  uint64_t *value;
  uint64_t least;
  uint64_t most;
  const char *const *choices;
  const char **text;
};

/* Ends with `usage` on anything that is unknown, out of range, or missing. `own` ends with a NULL name. */
void options_parse(struct options *options, const struct option_spec *own, char **arguments);

#endif
