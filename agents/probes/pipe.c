/* pipe: one there and one back. A message is at most PIPE_BUF, so each is written as one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "probes.h"
#include "traffic.h"
#include "wire.h"

_Static_assert(MOST_MESSAGE_BYTES <= PIPE_BUF, "a message is written as one");

static void open_pipes(uint64_t message_bytes, enum wait_kind wait) {
  int there[2], back[2];
  if (pipe2(there, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0) fail("pipe2: %s", strerror(errno));
  wire_connect(ASKER, back[0], there[1], message_bytes, wait);
  wire_connect(ANSWERER, there[0], back[1], message_bytes, wait);
}

static const struct channel channel = {.open = open_pipes, .send = wire_send, .receive = wire_receive};
static const struct option_spec options[] = {TRAFFIC_OPTIONS, {0}};
const struct probe pipe_probe = TRAFFIC_PROBE("pipe", channel, options);
