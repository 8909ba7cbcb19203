#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "failure.h"

#define PATIENCE_S 1

/* A side is of one thread alone. */
static struct wire {
  _Alignas(APART) int in;
  int out;
  uint64_t bytes;
  bool polls;
  bool expects_loss;
  _Alignas(APART) uint64_t outgoing[MOST_MESSAGE_BYTES / sizeof(uint64_t)];
  _Alignas(APART) uint64_t incoming[MOST_MESSAGE_BYTES / sizeof(uint64_t)];
} wires[2];

static void never_wait(int file) {
  if (fcntl(file, F_SETFL, O_NONBLOCK) != 0) fail("fcntl(O_NONBLOCK): %s", strerror(errno));
}

void wire_connect(enum side side, int in, int out, uint64_t message_bytes, enum wait_kind wait) {
  struct wire *wire = &wires[side];
  wire->in = in;
  wire->out = out;
  wire->bytes = message_bytes;
  wire->polls = wait == WAIT_SPIN;
  if (!wire->polls) return;
  never_wait(in);
  never_wait(out);
}

void wire_expect_loss(enum side side) {
  struct wire *wire = &wires[side];
  struct timeval patience = {.tv_sec = PATIENCE_S};
  wire->expects_loss = true;
  if (setsockopt(wire->in, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("SO_RCVTIMEO: %s", strerror(errno));
}

void wire_send(enum side from, const struct letter *letter) {
  struct wire *wire = &wires[from];
  struct message *message = (struct message *)wire->outgoing;
  message_fill(message, wire->bytes, letter);
  atomic_store_explicit(&message->number, letter->number, memory_order_relaxed);
  for (uint64_t done = 0; done < wire->bytes;) {
    ssize_t written = write(wire->out, (const char *)wire->outgoing + done, wire->bytes - done);
    if (LIKELY(written > 0)) done += (uint64_t)written;
    else if (written < 0 && errno != EINTR && errno != ENOBUFS && !(errno == EAGAIN && wire->polls)) fail("write: %s", strerror(errno));
  }
}

bool wire_receive(enum side at, struct letter *letter) {
  struct wire *wire = &wires[at];
  uint64_t begun = 0;
  for (uint64_t done = 0; done < wire->bytes;) {
    ssize_t got = read(wire->in, (char *)wire->incoming + done, wire->bytes - done);
    if (LIKELY(got > 0)) {
      done += (uint64_t)got;
      continue;
    }
    if (got == 0) fail("read: the other end is closed");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) fail("read: %s", strerror(errno));
    if (!wire->expects_loss) continue;
    if (!wire->polls) return false;
    uint64_t now = clock_now();
    if (begun == 0) begun = now;
    if (now - begun > clock_ticks_in(PATIENCE_S * NS_PER_SECOND)) return false;
  }
  const struct message *message = (const struct message *)wire->incoming;
  message_read(message, wire->bytes, atomic_load_explicit(&message->number, memory_order_relaxed), letter);
  return true;
}
