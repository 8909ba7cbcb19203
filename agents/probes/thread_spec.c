#include "thread_spec.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

/* Of the kernel, and not in every C library. */
#define POLICY_DEADLINE 6
/* A thread that a realtime thread starts is an ordinary one. */
#define RESET_ON_FORK UINT64_C(1)

static const struct {
  const char *name;
  uint32_t policy;
} policies[] = {{"other", SCHED_OTHER}, {"batch", SCHED_BATCH}, {"fifo", SCHED_FIFO}, {"rr", SCHED_RR}, {"deadline", POLICY_DEADLINE}};

const char *policy_name(uint32_t policy) {
  for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++)
    if (policies[i].policy == policy) return policies[i].name;
  return policy == SCHED_IDLE ? "idle" : "unknown";
}

static int64_t parse_number(const char *spec, const char *text, int64_t least, int64_t most) {
  char *end;
  errno = 0;
  long long number = text == NULL ? 0 : strtoll(text, &end, 10);
  if (text == NULL || errno != 0 || end == text || *end != '\0' || number < least || number > most)
    usage("%.80s: expected a number from %lld to %lld, got \"%.40s\"", spec, (long long)least, (long long)most, text == NULL ? "" : text);
  return number;
}

static struct scheduling parse_scheduling(const char *spec, const char *policy, char *number) {
  struct scheduling wanted = {.size = sizeof wanted};
  size_t i = 0;
  while (i < sizeof policies / sizeof policies[0] && strcmp(policies[i].name, policy) != 0) i++;
  if (i == sizeof policies / sizeof policies[0]) usage("%.80s: there is no policy \"%.40s\"", spec, policy);
  wanted.policy = policies[i].policy;
  if (wanted.policy == SCHED_OTHER || wanted.policy == SCHED_BATCH) {
    wanted.nice = (int32_t)parse_number(spec, number, -20, 19);
    return wanted;
  }
  wanted.flags = RESET_ON_FORK;
  if (wanted.policy != POLICY_DEADLINE) {
    wanted.priority = (uint32_t)parse_number(spec, number, 1, 98);
    return wanted;
  }
  char *rest = number;
  wanted.runtime_ns = (uint64_t)parse_number(spec, strtok_r(rest, "/", &rest), 1024, INT64_MAX);
  wanted.deadline_ns = (uint64_t)parse_number(spec, strtok_r(rest, "/", &rest), 1024, INT64_MAX);
  wanted.period_ns = (uint64_t)parse_number(spec, strtok_r(rest, "/", &rest), 1024, INT64_MAX);
  return wanted;
}

struct thread_spec thread_spec_parse(char *text) {
  char *whole = strdup(text);
  /* Names may hold = and : themselves, CPU sets and policies none. */
  char *number = strrchr(text, ':');
  if (number != NULL) *number++ = '\0';
  char *policy = number == NULL ? NULL : strrchr(text, ':');
  if (policy != NULL) *policy++ = '\0';
  char *sets = policy == NULL ? NULL : strrchr(text, '=');
  if (whole == NULL || sets == NULL || sets == text || sets[1] == '\0') usage("%.80s: expected NAME=CPUS:POLICY:NUMBER", whole == NULL ? text : whole);
  *sets++ = '\0';
  size_t most = 1;
  for (const char *at = sets; *at != '\0'; at++) most += *at == '/';
  struct thread_spec spec = {.name = text, .sets = calloc(most, sizeof *spec.sets), .scheduling = parse_scheduling(whole, policy, number)};
  if (spec.sets == NULL) fail("no memory");
  for (char *set; (set = strtok_r(sets, "/", &sets)) != NULL; spec.set_count++)
    if (!cpu_list_parse(set, &spec.sets[spec.set_count])) usage("%.80s: expected CPUs such as 4 or 0-1,3, got \"%.80s\"", whole, set);
  if (thread_spec_is_rest(&spec) && spec.set_count != 1) usage("%.80s: all others have one set of CPUs", whole);
  free(whole);
  return spec;
}

bool thread_spec_is_rest(const struct thread_spec *spec) { return strcmp(spec->name, "*") == 0; }

bool thread_spec_matches(const struct thread_spec *spec, const char *name, size_t index) {
  if (spec->name[0] == '#') return strtoul(spec->name + 1, NULL, 10) == index;
  /* Only * and ? mean something: brackets are part of names. */
  char pattern[256];
  size_t used = 0;
  for (const char *at = spec->name; *at != '\0' && used + 2 < sizeof pattern; at++) {
    if (*at == '[' || *at == ']' || *at == '\\') pattern[used++] = '\\';
    pattern[used++] = *at;
  }
  pattern[used] = '\0';
  return fnmatch(pattern, name, 0) == 0;
}
