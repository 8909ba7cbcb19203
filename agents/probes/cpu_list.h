/* CPU lists as the kernel prints them: 0-3,8. */
#ifndef HFT_CPU_LIST_H
#define HFT_CPU_LIST_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* Sets of the kernel can be larger than the fixed cpu_set_t of the C library, which ends at 1024 CPUs. */
#define LONGEST_CPU_LIST 4096

/* False when the text is no list, or empty, or names a CPU that a cpu_set_t cannot hold. */
bool cpu_list_parse(const char *text, cpu_set_t *set);

void cpu_list_print(const cpu_set_t *set, char *text, size_t bytes);

#endif
