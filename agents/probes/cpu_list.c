#include "cpu_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool parse_cpu(const char **text, long *cpu) {
  char *end;
  errno = 0;
  if (**text < '0' || **text > '9') return false;
  *cpu = strtol(*text, &end, 10);
  *text = end;
  return errno == 0 && *cpu < CPU_SETSIZE;
}

bool cpu_list_parse(const char *text, cpu_set_t *set) {
  CPU_ZERO(set);
  for (;;) {
    long first, last;
    if (!parse_cpu(&text, &first)) return false;
    last = first;
    if (*text == '-') {
      text++;
      if (!parse_cpu(&text, &last) || last < first) return false;
    }
    for (long cpu = first; cpu <= last; cpu++) CPU_SET((size_t)cpu, set);
    if (*text == '\0') return true;
    if (*text++ != ',') return false;
  }
}

void cpu_list_print(const cpu_set_t *set, char *text, size_t bytes) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, set)) continue;
    size_t last = cpu;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set)) last++;
    const char *comma = used == 0 ? "" : ",";
    int length = last == cpu ? snprintf(text + used, bytes - used, "%s%zu", comma, cpu) : snprintf(text + used, bytes - used, "%s%zu-%zu", comma, cpu, last);
    if (length < 0 || (size_t)length >= bytes - used) return;
    used += (size_t)length;
    cpu = last;
  }
}
