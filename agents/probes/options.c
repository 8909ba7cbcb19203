#include "options.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define LONGEST_RUN_NS (UINT64_C(7) * 24 * 3600 * NS_PER_S)
/* Counts of a block are 32 bits wide: at 10 ns a loop they hold 43 s. */
#define LONGEST_BLOCK_NS (10 * NS_PER_S)
/* 99 belongs to the kernel's migration and watchdog threads. */
#define HIGHEST_FIFO 98

static uint64_t parse_number(const char *name, const char *text, uint64_t least, uint64_t most) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least || value > most)
    usage("--%s: expected a whole number from %llu to %llu, got \"%.40s\"", name, (unsigned long long)least,
          (unsigned long long)most, text);
  return value;
}

static void add_cpu(struct options *options, unsigned long cpu) {
  for (int i = 0; i < options->cpu_count; i++)
    if (options->cpus[i] == (int)cpu) usage("--cpus: CPU %lu is given twice", cpu);
  options->cpus[options->cpu_count++] = (int)cpu;
}

/* `2,4-6`, in the order given: the order of a pair is its direction. */
static void parse_cpus(struct options *options, const char *text) {
  const char *at = text;
  options->cpu_count = 0;
  for (;;) {
    char *end;
    unsigned long first = strtoul(at, &end, 10);
    unsigned long last = first;
    if (end == at || *at < '0' || *at > '9') break;
    if (*end == '-') {
      at = end + 1;
      last = strtoul(at, &end, 10);
      if (end == at || *at < '0' || *at > '9') break;
    }
    if (last < first || last >= MOST_CPUS) break;
    for (unsigned long cpu = first; cpu <= last; cpu++) add_cpu(options, cpu);
    if (*end == '\0') return;
    if (*end != ',') break;
    at = end + 1;
  }
  usage("--cpus: expected a CPU list such as 2,4-6 below %d, got \"%.40s\"", MOST_CPUS, text);
}

static void parse_policy(struct options *options, const char *text) {
  if (strcmp(text, "other") == 0) options->fifo_priority = 0;
  else if (strcmp(text, "fifo") == 0) options->fifo_priority = 1;
  else if (strncmp(text, "fifo:", 5) == 0) options->fifo_priority = (int)parse_number("policy fifo", text + 5, 1, HIGHEST_FIFO);
  else usage("--policy: expected other, fifo (which is fifo:1) or fifo:PRIORITY, got \"%.40s\"", text);
}

static bool parse_common(struct options *options, const char *name, const char *text) {
  if (strcmp(name, "cpus") == 0) parse_cpus(options, text);
  else if (strcmp(name, "control-cpu") == 0) options->control_cpu = (int)parse_number(name, text, 0, MOST_CPUS - 1);
  else if (strcmp(name, "duration-ns") == 0) options->duration_ns = parse_number(name, text, NS_PER_MS, LONGEST_RUN_NS);
  else if (strcmp(name, "warmup-ns") == 0) options->warmup_ns = parse_number(name, text, NS_PER_MS, LONGEST_RUN_NS);
  else if (strcmp(name, "block-ns") == 0) options->block_ns = parse_number(name, text, NS_PER_MS, LONGEST_BLOCK_NS);
  else if (strcmp(name, "deadline-ns") == 0) options->deadline_ns = parse_number(name, text, NS_PER_MS, 2 * LONGEST_RUN_NS);
  else if (strcmp(name, "policy") == 0) parse_policy(options, text);
  else if (strcmp(name, "parent") == 0) options->parent = (pid_t)parse_number(name, text, 1, INT32_MAX);
  else if (strcmp(name, "dma-latency") == 0)
    options->dma_latency_us = strcmp(text, "none") == 0 ? NOBODY : (int64_t)parse_number(name, text, 0, INT32_MAX);
  else return false;
  return true;
}

static bool parse_own(const struct option_spec *spec, const char *name, const char *text) {
  for (; spec->name != NULL; spec++) {
    if (strcmp(spec->name, name) != 0) continue;
    if (spec->text != NULL) {
      *spec->text = text;
      return true;
    }
    if (spec->choices == NULL) {
      *spec->value = parse_number(name, text, spec->least, spec->most);
      return true;
    }
    for (uint64_t choice = 0; spec->choices[choice] != NULL; choice++) {
      if (strcmp(spec->choices[choice], text) != 0) continue;
      *spec->value = choice;
      return true;
    }
    usage("--%s: \"%.40s\" is none of its words, the first of which is %s", name, text, spec->choices[0]);
  }
  return false;
}

void options_parse(struct options *options, const struct option_spec *own, char **arguments) {
  *options = (struct options){.control_cpu = NOBODY,
                              .duration_ns = 10 * NS_PER_S,
                              .warmup_ns = NS_PER_S,
                              .block_ns = 100 * NS_PER_MS,
                              .dma_latency_us = NOBODY};
  for (; *arguments != NULL; arguments += 2) {
    if (strncmp(*arguments, "--", 2) != 0) usage("expected an option such as --cpus, got \"%.40s\"", *arguments);
    const char *name = *arguments + 2;
    if (arguments[1] == NULL) usage("--%.40s needs a value", name);
    if (!parse_common(options, name, arguments[1]) && !parse_own(own, name, arguments[1]))
      usage("there is no option --%.40s here", name);
  }
  if (options->cpu_count == 0) usage("--cpus is missing: which CPUs to measure on");
  if (options->deadline_ns == 0) options->deadline_ns = options->warmup_ns + options->duration_ns + 10 * NS_PER_S;
}
