#include "session.h"

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock_error.h"
#include "network_card.h"

#ifndef HFT_VERSION
#define HFT_VERSION "0"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "messages are sent as the machine has them, which must be little endian"
#endif

const char *const TRANSPORTS[] = {"udp", "tcp", NULL};

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Zeros where it cannot be read: then it is like nobody's. */
static void read_boot(uint8_t boot[16]) {
  char text[40] = {0};
  int file = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
  ssize_t bytes = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  memset(boot, 0, 16);
  if (bytes < 36) return;
  const char *at = text;
  for (int i = 0; i < 16; i++) {
    unsigned byte;
    if (*at == '-') at++;
    if (sscanf(at, "%2x", &byte) != 1) return;
    boot[i] = (uint8_t)byte;
    at += 2;
  }
}

void session_describe_end(struct end_facts *facts, int file) {
  struct card card;
  struct clock_error error;
  memset(facts, 0, sizeof *facts);
  read_boot(facts->boot);
  snprintf(facts->program, sizeof facts->program, "%s", HFT_VERSION);
  card_of_socket(&card, file);
  facts->has_hardware = card.has_hardware;
  snprintf(facts->card, sizeof facts->card, "%s", card.name);
  snprintf(facts->why_no_hardware, sizeof facts->why_no_hardware, "%s", card.why_not);
  clock_error_ask(&error);
  facts->is_disciplined = error.is_known;
  facts->clock_error_ns = error.most_ns;
  snprintf(facts->clock, sizeof facts->clock, "%s", error.who);
}

#define WIDE_BYTES (4 * 1024 * 1024)

void session_widen(int datagrams) {
  int wanted = WIDE_BYTES;
  /* The kernel gives what it allows. */
  setsockopt(datagrams, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

uint64_t session_overflowed(int datagrams) {
  uint32_t about[SK_MEMINFO_VARS] = {0};
  socklen_t bytes = sizeof about;
  return getsockopt(datagrams, SOL_SOCKET, SO_MEMINFO, about, &bytes) == 0 ? about[SK_MEMINFO_DROPS] : 0;
}

void session_clean(char *text, size_t room) {
  text[room - 1] = '\0';
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') *text = '\'';
    else if (*text < ' ' || *text > '~') *text = '?';
  }
}
