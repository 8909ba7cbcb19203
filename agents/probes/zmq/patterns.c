/*
 * The channel of ZeroMQ over ipc (unix sockets): REQ/REP there and back; PUSH/PULL and PUB/SUB one way. Each side has a context of
 * its own, as two processes would have, with one I/O thread, all else as the library has it by default. The socket's name is in the
 * abstract namespace, so nothing is left behind on a file system.
 */
#include "patterns.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../failure.h"
#include "../traffic.h"
#include "library.h"

enum { REQ_REP, PUSH_PULL, PUB_SUB };

#define PATIENCE_MS 1000
#define SUBSCRIBED_WITHIN_S 5
#define PAUSE_NS 1000000
#define QUIET_PAUSES 50

static uint64_t pattern = PUSH_PULL;
/* Where the library's own threads run: of the asker's side, and of the answerer's. Any: where the asker runs. */
static uint64_t io_cpus[2] = {MOST_CPUS, MOST_CPUS};

static const char *const PATTERNS[] = {"req-rep", "push-pull", "pub-sub", NULL};
static const struct {
  int types[2]; /* the asker's, the answerer's */
  enum side binds;
} ROLES[] = {[REQ_REP] = {{ZMQ_REQ, ZMQ_REP}, ANSWERER}, [PUSH_PULL] = {{ZMQ_PUSH, ZMQ_PULL}, ANSWERER}, [PUB_SUB] = {{ZMQ_PUB, ZMQ_SUB}, ASKER}};

/* A side is of one thread alone. */
static struct end {
  _Alignas(APART) void *socket;
  uint64_t bytes;
  bool polls;
  bool expects_loss;
  _Alignas(APART) uint64_t outgoing[MOST_MESSAGE_BYTES / sizeof(uint64_t)];
  _Alignas(APART) uint64_t incoming[MOST_MESSAGE_BYTES / sizeof(uint64_t)];
} ends[2];

static _Noreturn void refuse(const char *what) { fail("%s: %s", what, zmq.strerror(zmq.errno_())); }

/* A context starts its threads with its first socket, and they stay where that was made. */
static void make_socket(enum side side) {
  cpu_set_t before;
  if (sched_getaffinity(0, sizeof before, &before) != 0) fail("sched_getaffinity: %s", strerror(errno));
  if (io_cpus[side] != MOST_CPUS) pin_to((int)io_cpus[side]);
  void *context = zmq.ctx_new();
  void *socket = context == NULL ? NULL : zmq.socket(context, ROLES[pattern].types[side]);
  if (socket == NULL) refuse("zmq_socket");
  if (sched_setaffinity(0, sizeof before, &before) != 0) fail("sched_setaffinity: %s", strerror(errno));
  ends[side].socket = socket;
}

/* Nobody else can guess it. */
static void choose_endpoint(char *endpoint, size_t room) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) != sizeof random) fail("getrandom: %s", strerror(errno));
  snprintf(endpoint, room, "ipc://@hft-%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
}

static void pause_shortly(void) {
  struct timespec pause = {.tv_nsec = PAUSE_NS};
  nanosleep(&pause, NULL);
}

/* What is published before the subscription has arrived is lost, and nothing says when it has: published until something comes. */
static void await_subscription(struct end *from, struct end *at) {
  bool has_come = false;
  for (int quiet = 0, tries = 0; quiet < QUIET_PAUSES; tries++) {
    if (!has_come && zmq.send(from->socket, from->outgoing, from->bytes, 0) < 0) refuse("zmq_send");
    pause_shortly();
    bool comes = zmq.recv(at->socket, at->incoming, at->bytes, ZMQ_DONTWAIT) >= 0;
    has_come = has_come || comes;
    quiet = has_come && !comes ? quiet + 1 : 0;
    if (!has_come && tries > SUBSCRIBED_WITHIN_S * 1000) fail("the subscription did not arrive in %d s", SUBSCRIBED_WITHIN_S);
  }
}

static void subscribe(void) {
  int patience_ms = PATIENCE_MS;
  struct end *at = &ends[ANSWERER];
  at->expects_loss = true;
  if (zmq.setsockopt(at->socket, ZMQ_SUBSCRIBE, "", 0) != 0) refuse("ZMQ_SUBSCRIBE");
  if (zmq.setsockopt(at->socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms) != 0) refuse("ZMQ_RCVTIMEO");
}

static void open_sockets(uint64_t message_bytes, enum wait_kind wait) {
  char endpoint[64];
  enum side binds = ROLES[pattern].binds;
  enum side connects = binds == ASKER ? ANSWERER : ASKER;
  choose_endpoint(endpoint, sizeof endpoint);
  for (enum side side = ASKER; side <= ANSWERER; side++) {
    make_socket(side);
    ends[side].bytes = message_bytes;
    ends[side].polls = wait == WAIT_SPIN;
  }
  if (pattern == PUB_SUB) subscribe();
  if (zmq.bind(ends[binds].socket, endpoint) != 0) refuse("zmq_bind");
  if (zmq.connect(ends[connects].socket, endpoint) != 0) refuse("zmq_connect");
  if (pattern == PUB_SUB) await_subscription(&ends[ASKER], &ends[ANSWERER]);
}

static void send_letter(enum side from, const struct letter *letter) {
  struct end *end = &ends[from];
  struct message *message = (struct message *)end->outgoing;
  message_fill(message, end->bytes, letter);
  atomic_store_explicit(&message->number, letter->number, memory_order_relaxed);
  while (zmq.send(end->socket, end->outgoing, end->bytes, 0) < 0)
    if (zmq.errno_() != EINTR) refuse("zmq_send");
}

static bool receive_letter(enum side at, struct letter *letter) {
  struct end *end = &ends[at];
  uint64_t begun = 0;
  int got;
  while ((got = zmq.recv(end->socket, end->incoming, end->bytes, end->polls ? ZMQ_DONTWAIT : 0)) < 0) {
    int error = zmq.errno_();
    if (error == EINTR) continue;
    if (error != EAGAIN) refuse("zmq_recv");
    if (!end->expects_loss) continue;
    if (!end->polls) return false;
    uint64_t now = clock_now();
    if (begun == 0) begun = now;
    if (now - begun > clock_ticks_in(PATIENCE_MS * NS_PER_SECOND / 1000)) return false;
  }
  if ((uint64_t)got != end->bytes) fail("a message of %d bytes came, of %llu bytes was sent", got, (unsigned long long)end->bytes);
  const struct message *message = (const struct message *)end->incoming;
  message_read(message, end->bytes, atomic_load_explicit(&message->number, memory_order_relaxed), letter);
  return true;
}

static void describe(struct text *meta) {
  int major, minor, patch;
  zmq.version(&major, &minor, &patch);
  text_add(meta, ",\"part\":\"%s\",\"library\":\"libzmq %d.%d.%d\"", PATTERNS[pattern], major, minor, patch);
  if (io_cpus[ASKER] != MOST_CPUS && io_cpus[ANSWERER] != MOST_CPUS)
    text_add(meta, ",\"ioCpus\":[%llu,%llu]", (unsigned long long)io_cpus[ASKER], (unsigned long long)io_cpus[ANSWERER]);
}

static struct channel channel = {.open = open_sockets, .send = send_letter, .receive = receive_letter, .describe = describe};

/* What cannot be had is said before any thread is started. */
static int prepare(struct run *run) {
  traffic_terms.direction = pattern == REQ_REP ? TRAFFIC_ROUND_TRIP : TRAFFIC_ONE_WAY;
  channel.loses = pattern == PUB_SUB;
  zmq_load();
  return traffic_prepare(run);
}

static const struct option_spec options[] = {{.name = "pattern", .value = &pattern, .choices = PATTERNS},
                                             TRAFFIC_TERMS,
                                             {.name = "sender-io-cpu", .value = &io_cpus[ASKER], .most = MOST_CPUS - 1},
                                             {.name = "receiver-io-cpu", .value = &io_cpus[ANSWERER], .most = MOST_CPUS - 1},
                                             {0}};

const struct probe zeromq_probe = {.name = "zeromq",
                                   .channel = &channel,
                                   .options = options,
                                   .spins = traffic_spins,
                                   .prepare = prepare,
                                   .allocate = traffic_allocate,
                                   .warm_up = traffic_warm_up,
                                   .measure = traffic_measure,
                                   .empty = traffic_empty,
                                   .describe = traffic_describe,
                                   .conclude = traffic_conclude};
