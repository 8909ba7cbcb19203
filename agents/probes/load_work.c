/* What the bearers of a load do. Everything here is the work of a host that does other things: copies, system calls, memory, processes, packets. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"
#include "load.h"
#include "placement.h"

/* More than the caches that a CPU has for itself, so that the shared ones are in use. */
#define COPY_AREA_BYTES (8 * 1024 * 1024)
#define COPY_BYTES (512 * 1024)
#define CALLS_PER_TURN 200
#define PAGES_PER_TURN 32
#define PAGE_BYTES 4096
#define TURNS_PER_PROCESS 8

static void copy(struct bearer *bearer, char *area, unsigned turn) {
  size_t at = (size_t)turn * COPY_BYTES % COPY_AREA_BYTES;
  memcpy(area + COPY_AREA_BYTES + at, area + at, COPY_BYTES);
  bearer->copied_bytes += COPY_BYTES;
}

static void call_kernel(struct bearer *bearer, int nowhere) {
  for (int i = 0; i < CALLS_PER_TURN; i++) {
    if (i % 2 == 0) syscall(SYS_getppid);
    else if (write(nowhere, &i, sizeof i) != (ssize_t)sizeof i) fail("load: /dev/null: %s", strerror(errno));
  }
  bearer->system_calls += CALLS_PER_TURN;
}

static void map_memory(struct bearer *bearer) {
  char *pages = mmap(NULL, PAGES_PER_TURN * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) fail("load: mmap: %s", strerror(errno));
  for (int page = 0; page < PAGES_PER_TURN; page++) ((volatile char *)pages)[page * PAGE_BYTES] = 1;
  munmap(pages, PAGES_PER_TURN * PAGE_BYTES);
  bearer->mappings++;
}

/* This program, which then ends at once. Runs where the thread does. */
static void run_process(struct bearer *bearer) {
  char *arguments[] = {"hft-probe", "nothing", NULL};
  pid_t child;
  int error = posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, NULL);
  if (error != 0) fail("load: a process cannot be started: %s", strerror(error));
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  bearer->processes++;
}

void load_housekeeping(struct bearer *bearer, uint64_t until_raw_ns) {
  static _Thread_local char *area;
  static _Thread_local int nowhere;
  static _Thread_local unsigned turn;
  if (area == NULL) {
    area = allocate_local(2 * COPY_AREA_BYTES);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  }
  for (; raw_clock_ns() < until_raw_ns && !load_stopped(bearer); turn++) {
    copy(bearer, area, turn);
    call_kernel(bearer, nowhere);
    map_memory(bearer);
    if (turn % TURNS_PER_PROCESS == 0) run_process(bearer);
  }
}

void load_send(struct bearer *bearer, uint64_t until_raw_ns) {
  static const char packet[LOAD_PACKET_BYTES];
  while (raw_clock_ns() < until_raw_ns && !load_stopped(bearer)) {
    if (send(bearer->sender, packet, sizeof packet, 0) < 0) {
      if (errno == EINTR || errno == ENOBUFS) continue;
      fail("load: send: %s", strerror(errno));
    }
    bearer->sent++;
    bearer->sent_bytes += sizeof packet;
  }
}

void load_receive(struct bearer *bearer) {
  char packet[LOAD_PACKET_BYTES];
  struct timeval patience = {.tv_usec = 20000};
  setsockopt(bearer->receiver, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while (!load_stopped(bearer)) {
    if (recv(bearer->receiver, packet, sizeof packet, 0) > 0) bearer->received++;
    else if (errno != EAGAIN && errno != EINTR) fail("load: recv: %s", strerror(errno));
  }
  while (recv(bearer->receiver, packet, sizeof packet, MSG_DONTWAIT) > 0) bearer->received++;
}
