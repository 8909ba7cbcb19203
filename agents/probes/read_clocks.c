#include "read_clocks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ptp_clock.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

#define NS_PER_S INT64_C(1000000000)
#define READS 25u

/* System clock less PTP clock; read in a window of delay_ns. */
struct reading {
  const char *method;
  int64_t offset_ns;
  int64_t delay_ns;
};

static int64_t to_ns(const struct ptp_clock_time *time) { return (int64_t)time->sec * NS_PER_S + (int64_t)time->nsec; }

/* The device stamps both clocks in one instant: nothing was read in between. */
static bool read_precise(int file, struct reading *reading) {
  struct ptp_sys_offset_precise both = {0};
  if (ioctl(file, PTP_SYS_OFFSET_PRECISE, &both) != 0) return false;
  *reading = (struct reading){.method = "precise", .offset_ns = to_ns(&both.sys_realtime) - to_ns(&both.device)};
  return true;
}

/* Of several reads the one with the shortest window counts: the device was read somewhere in it. */
static void keep_shortest(struct reading *best, struct reading read, bool is_first) {
  if (is_first || read.delay_ns < best->delay_ns) *best = read;
}

static struct reading between(const char *method, int64_t before_ns, int64_t device_ns, int64_t after_ns) {
  return (struct reading){.method = method, .offset_ns = before_ns + (after_ns - before_ns) / 2 - device_ns, .delay_ns = after_ns - before_ns};
}

/* The system clock is stamped by the driver right before and after the register that holds the device's time is read. */
static bool read_extended(int file, struct reading *reading) {
  struct ptp_sys_offset_extended reads = {.n_samples = READS};
  if (ioctl(file, PTP_SYS_OFFSET_EXTENDED, &reads) != 0) return false;
  for (unsigned i = 0; i < READS; i++)
    keep_shortest(reading, between("extended", to_ns(&reads.ts[i][0]), to_ns(&reads.ts[i][1]), to_ns(&reads.ts[i][2])), i == 0);
  return true;
}

/* The same around the whole call into the driver: for drivers that know nothing better. */
static bool read_basic(int file, struct reading *reading) {
  struct ptp_sys_offset reads = {.n_samples = READS};
  if (ioctl(file, PTP_SYS_OFFSET, &reads) != 0) return false;
  for (unsigned i = 0; i < READS; i++)
    keep_shortest(reading, between("basic", to_ns(&reads.ts[2 * i]), to_ns(&reads.ts[2 * i + 1]), to_ns(&reads.ts[2 * i + 2])), i == 0);
  return true;
}

/* Quotes and what no path of a device has are left out of the line. */
static void print_name(const char *path) {
  for (const char *at = path; *at != '\0'; at++)
    if (*at >= ' ' && *at != '"' && *at != '\\') putchar(*at);
}

static void print_device(const char *path) {
  struct reading reading = {0};
  int file = open(path, O_RDONLY | O_CLOEXEC);
  int reason = errno;
  bool is_read = file >= 0 && (read_precise(file, &reading) || read_extended(file, &reading) || read_basic(file, &reading));
  if (file >= 0) {
    if (!is_read) reason = errno;
    close(file);
  }
  printf("{\"clock\":\"");
  print_name(path);
  if (!is_read)
    printf("\",\"error\":\"%s\"}\n", strerrorname_np(reason) == NULL ? "EIO" : strerrorname_np(reason));
  else
    printf("\",\"method\":\"%s\",\"offsetNs\":%" PRId64 ",\"delayNs\":%" PRId64 "}\n", reading.method, reading.offset_ns, reading.delay_ns);
}

static void print_system(void) {
  struct timex kernel = {0};
  struct timespec resolution;
  if (adjtimex(&kernel) < 0) fail("adjtimex: %s", strerror(errno));
  if (clock_getres(CLOCK_REALTIME, &resolution) != 0) fail("clock_getres: %s", strerror(errno));
  int64_t resolution_ns = (int64_t)resolution.tv_sec * NS_PER_S + resolution.tv_nsec;
  printf("{\"clock\":\"CLOCK_REALTIME\",\"resolutionNs\":%" PRId64 ",\"taiOffsetS\":%d,\"isSynchronised\":%s,\"maxErrorUs\":%ld}\n", resolution_ns, kernel.tai,
         (kernel.status & STA_UNSYNC) == 0 ? "true" : "false", kernel.maxerror);
}

int read_clocks(char **arguments) {
  print_system();
  for (char **path = arguments; *path != NULL; path++) print_device(*path);
  if (fflush(stdout) != 0) fail("standard output: %s", strerror(errno));
  return EXIT_DONE;
}
