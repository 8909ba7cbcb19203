#include "requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "failure.h"

#define GREETING_PATIENCE_MS 5000
/* A thread that waits for a reply looks this often whether it is to stop. */
#define LOOK_UP_MS 250
#define START_PATIENCE_NS (10 * NS_PER_SECOND)
#define START_PAUSE_NS 2000000
/* A key that could not be taken away is gone this long after the latest end of the run. */
#define EXPIRES_AFTER_S 60

struct requests_terms requests_terms = {.pipeline = 1};

static struct {
  const struct dialect *dialect;
  struct run *run;
  struct address address;
  bool is_own;
  struct server server;
  struct subject subject;
  char name[NAME_ROOM]; /* who answers */
  char value[MOST_MESSAGE_BYTES];
  int file;
  bool polls;
  /* The worker's. */
  char *batch;
  size_t batch_bytes;
  char *expected;
  size_t expected_bytes;
  size_t reply_bytes; /* of one request */
  char *got;
  struct letter asked;
} requests;

static const char *read_variable(const char *name) {
  const char *value = name == NULL ? NULL : getenv(name);
  return value == NULL || value[0] == '\0' ? NULL : value;
}

static void greet(int file, char *name) {
  const struct server_place *own = &requests.server.place;
  const struct credentials *variables = &requests.dialect->variables;
  struct credentials credentials = {.user = read_variable(variables->user), .password = read_variable(variables->password)};
  if (requests.is_own) credentials = (struct credentials){.password = own->port == 0 ? NULL : own->password};
  connection_set_patience(file, GREETING_PATIENCE_MS);
  requests.dialect->greet(file, &requests.address, &credentials, name);
}

static void choose_subject(uint64_t deadline_ns) {
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) != sizeof random) fail("getrandom: %s", strerror(errno));
  for (uint64_t i = 0; i < traffic_terms.message_bytes; i++) requests.value[i] = (char)('a' + (random + i) % 26);
  requests.subject = (struct subject){.value = requests.value,
                                      .value_bytes = traffic_terms.message_bytes,
                                      .expires_s = deadline_ns / NS_PER_SECOND + EXPIRES_AFTER_S};
  snprintf(requests.subject.key, sizeof requests.subject.key, "hft:probe:%016llx", (unsigned long long)random);
}

static void start_own(struct run *run, bool over_tcp) {
  struct server *server = &requests.server;
  requests.is_own = true;
  server_start(server, requests.dialect->server, run->options.cpus[1], over_tcp, run->options.deadline_ns);
  if (over_tcp) address_of_loopback(&requests.address, server->place.port);
  else address_of_path(&requests.address, server->place.socket);
  struct timespec pause = {.tv_nsec = START_PAUSE_NS};
  for (uint64_t begun = raw_clock_ns(); (requests.file = connection_try(&requests.address)) < 0;) {
    const char *why = server_why_ended(server);
    if (why != NULL) unsupported(requests.dialect->server->need, "the server that was started has ended: %s", why);
    if (raw_clock_ns() - begun > START_PATIENCE_NS) fail("%s does not listen %d s after its start", server->place.program, 10);
    nanosleep(&pause, NULL);
  }
}

int requests_prepare(struct run *run, const struct dialect *dialect) {
  const char *wanted = requests_terms.server;
  bool is_own = wanted != NULL && strncmp(wanted, "own-", 4) == 0;
  requests.dialect = dialect;
  requests.run = run;
  requests.polls = traffic_terms.wait == WAIT_SPIN;
  if (wanted == NULL) usage("--server is missing: own-unix, own-tcp, or unix:/path or IP:PORT of one that runs");
  if (is_own && strcmp(wanted, "own-unix") != 0 && strcmp(wanted, "own-tcp") != 0) usage("--server: expected own-unix or own-tcp, got \"%.40s\"", wanted);
  if (run->options.cpu_count != (is_own ? 2 : 1))
    usage(is_own ? "--cpus: %s needs two CPUs, the client's first, then its server's" : "--cpus: %s needs one CPU, the client's", run->probe->name);
  if (traffic_terms.message_bytes % 64 != 0)
    usage("--payload: expected a multiple of 64 bytes, got %llu", (unsigned long long)traffic_terms.message_bytes);
  choose_subject(run->options.deadline_ns);
  if (is_own) {
    start_own(run, strcmp(wanted, "own-tcp") == 0);
  } else {
    address_parse(&requests.address, wanted);
    requests.file = connection_open(&requests.address, dialect->what);
  }
  greet(requests.file, requests.name);
  dialect->put(requests.file, &requests.address, &requests.subject);
  connection_set_patience(requests.file, LOOK_UP_MS);
  return traffic_prepare_alone(run);
}

static void write_batch(uint64_t message_bytes, enum wait_kind wait) {
  (void)wait;
  size_t room = requests_terms.pipeline * (message_bytes + REQUEST_ROOM);
  requests.batch = allocate_local(room);
  requests.expected = allocate_local(room);
  requests.got = allocate_local(room);
  for (uint64_t i = 0; i < requests_terms.pipeline; i++) {
    requests.reply_bytes = requests.dialect->write_reply(requests.expected + requests.expected_bytes, &requests.subject);
    requests.expected_bytes += requests.reply_bytes;
    requests.batch_bytes += requests.dialect->write_request(requests.batch + requests.batch_bytes, &requests.subject);
  }
}

static void say(enum side from, const struct letter *letter) {
  (void)from;
  requests.asked = *letter;
  connection_say(requests.file, requests.batch, requests.batch_bytes);
}

/* The line of the first reply that is not what was expected. */
static _Noreturn void complain(size_t bytes) {
  size_t at = 0;
  while (at < bytes && requests.got[at] == requests.expected[at]) at++;
  at -= at % requests.reply_bytes;
  fail("the server at %s answered \"%s\" and not what was set", requests.address.name, first_line(requests.got + at, bytes - at));
}

static bool hear(enum side at, struct letter *letter) {
  (void)at;
  size_t done = 0;
  while (done < requests.expected_bytes) {
    ssize_t got = recv(requests.file, requests.got + done, requests.expected_bytes - done, requests.polls ? MSG_DONTWAIT : 0);
    if (LIKELY(got > 0)) {
      /* What is shorter than expected would be waited for for ever. */
      bool is_wrong = memcmp(requests.got + done, requests.expected + done, (size_t)got) != 0;
      done += (size_t)got;
      if (UNLIKELY(is_wrong)) complain(done);
      continue;
    }
    if (got == 0) fail("the server at %s closed the connection", requests.address.name);
    if (errno != EAGAIN && errno != EINTR) fail("the connection to %s: %s", requests.address.name, strerror(errno));
    if (UNLIKELY(run_stopped(requests.run))) return false;
  }
  *letter = requests.asked;
  letter->is_whole = true;
  return true;
}

static void describe(struct text *meta) {
  text_add(meta, ",\"part\":\"%s%s%s\",\"pipeline\":%llu", requests.dialect->part(), requests_terms.pipeline > 1 ? "-pipelined" : "",
           requests.address.is_here ? "" : "-remote", (unsigned long long)requests_terms.pipeline);
  text_add(meta, ",\"server\":{\"name\":\"%s\",\"address\":\"%s\",\"isOwn\":%s}", requests.name, requests.address.name,
           requests.is_own ? "true" : "false");
}

/* In a connection of its own: in the other one a reply may still be on its way. */
static bool take_key_away(void) {
  char name[NAME_ROOM];
  int file = connection_try(&requests.address);
  if (file < 0) return false;
  greet(file, name);
  return requests.dialect->remove(file, &requests.subject);
}

void requests_conclude(struct run *run, struct text *result) {
  traffic_conclude(run, result);
  if (requests.is_own) server_end(&requests.server);
  else text_add(result, ",\"keyLeft\":%s", take_key_away() ? "false" : "true");
}

const struct channel requests_channel = {.open = write_batch, .send = say, .receive = hear, .describe = describe, .answers_itself = true};
