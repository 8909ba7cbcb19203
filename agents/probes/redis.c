/*
 * redis: GET, SET, and many of them in one write, in RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/). The key
 * is one of its own and expires; SET renews that each time (EX), so it is a SET as caches do it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "probes.h"
#include "requests.h"

enum { GET, SET };

#define WHAT "a Redis or Valkey server"

static uint64_t command = GET;
static const char *const COMMANDS[] = {"get", "set", NULL};
static const char *const PROGRAMS[] = {"redis-server", "valkey-server", NULL};

/* Nothing is kept: no snapshot, no log. https://redis.io/docs/latest/operate/oss_and_stack/management/config/ */
static void compose(struct server_command *server, const struct server_place *place) {
  int length = snprintf(server->settings, sizeof server->settings,
                        "daemonize no\nsave \"\"\nappendonly no\ndir %s\nlogfile \"\"\nloglevel warning\ndatabases 1\nmaxmemory 64mb\n",
                        place->folder);
  char *more = server->settings + length;
  size_t room = sizeof server->settings - (size_t)length;
  if (place->port == 0) snprintf(more, room, "port 0\nunixsocket %s\nunixsocketperm 700\n", place->socket);
  else snprintf(more, room, "bind 127.0.0.1\nport %u\nrequirepass %s\n", place->port, place->password);
  server->arguments[0] = (char *)place->program;
  snprintf(server->text, sizeof server->text, "%s", place->settings);
  server->arguments[1] = server->text;
}

static const struct server_kind server = {
    .programs = PROGRAMS,
    .need = "redis-server or valkey-server (Debian and Ubuntu: apt-get install redis-server), or one that runs: --redis",
    .compose = compose};

struct reply {
  char data[8192];
  size_t bytes;
};

/* The bytes of a reply that begins so; 0 when that cannot be said yet. */
static size_t reply_length(const struct reply *reply) {
  const char *end = memmem(reply->data, reply->bytes, "\r\n", 2);
  if (end == NULL) return 0;
  size_t line = (size_t)(end - reply->data) + 2;
  long long bulk = reply->data[0] == '$' ? strtoll(reply->data + 1, NULL, 10) : -1;
  return bulk < 0 ? line : line + (size_t)bulk + 2;
}

static void hear_reply(int file, const struct address *address, struct reply *reply) {
  size_t wanted = 0;
  for (*reply = (struct reply){0}; wanted == 0 || reply->bytes < wanted;) {
    size_t room = sizeof reply->data - 1 - reply->bytes;
    size_t got = room == 0 ? 0 : connection_hear(file, reply->data + reply->bytes, room);
    if (got == 0) {
      if (reply->bytes > 0 || room == 0) break;
      unsupported(WHAT " that answers", "the server at %s %s", address->name, errno == EAGAIN ? "does not answer" : "closes the connection at once");
    }
    reply->bytes += got;
    if (strchr("+-:$*", reply->data[0]) == NULL) break;
    wanted = reply_length(reply);
  }
  if (reply->data[0] == '\0' || strchr("+-:$*", reply->data[0]) == NULL)
    unsupported(WHAT, "what answers at %s does not speak the protocol of Redis: '%s'", address->name, first_line(reply->data, reply->bytes));
}

static bool begins(const struct reply *reply, const char *with) { return strncmp(reply->data, with, strlen(with)) == 0; }

static _Noreturn void refuse(const struct address *address, const struct reply *reply, const char *asked) {
  const char *said = first_line(reply->data + 1, reply->bytes - 1);
  if (begins(reply, "-NOAUTH") || begins(reply, "-WRONGPASS") || begins(reply, "-NOPERM") || begins(reply, "-ERR AUTH") || begins(reply, "-ERR invalid password"))
    unsupported("the password of a user who may GET, SET and DEL hft:probe:*, in the environment: REDISCLI_AUTH (and HFT_REDIS_USER)",
                "the server at %s refuses %s: %s", address->name, asked, said);
  if (begins(reply, "-MOVED") || begins(reply, "-ASK"))
    unsupported("the address of a server that is no node of a cluster", "the server at %s sends the key to another node: %s", address->name, said);
  unsupported(WHAT " that takes GET, SET and DEL of hft:probe:*", "the server at %s refuses %s: %s", address->name, asked, said);
}

/* `*n`, then each word with its length. */
static size_t write_words(char *to, const char *const *words, const size_t *bytes, unsigned count) {
  size_t at = (size_t)sprintf(to, "*%u\r\n", count);
  for (unsigned i = 0; i < count; i++) {
    at += (size_t)sprintf(to + at, "$%zu\r\n", bytes[i]);
    memcpy(to + at, words[i], bytes[i]);
    at += bytes[i];
    memcpy(to + at, "\r\n", 2);
    at += 2;
  }
  return at;
}

static size_t write_command(char *to, const char *const *words, unsigned count) {
  size_t bytes[4];
  for (unsigned i = 0; i < count; i++) bytes[i] = strlen(words[i]);
  return write_words(to, words, bytes, count);
}

static void show(int file, const struct address *address, const struct credentials *credentials) {
  const char *user = credentials->user, *password = credentials->password;
  const char *with_user[] = {"AUTH", user, password};
  const char *alone[] = {"AUTH", password};
  char request[1024];
  struct reply reply;
  if (strlen(password) + (user == NULL ? 0 : strlen(user)) > 800) usage("REDISCLI_AUTH and HFT_REDIS_USER: at most 800 bytes in all");
  size_t length = user == NULL ? write_command(request, alone, 2) : write_command(request, with_user, 3);
  connection_say(file, request, length);
  hear_reply(file, address, &reply);
  if (!begins(&reply, "+OK")) refuse(address, &reply, "AUTH");
}

/* `redis_version:7.0.15` of INFO. Valkey says that too, for those who only know Redis, and its own beside. */
static void read_version(const struct reply *reply, char *name) {
  const char *own = strstr(reply->data, "valkey_version:");
  const char *version = own == NULL ? strstr(reply->data, "redis_version:") : own;
  const char *number = version == NULL ? "" : strchr(version, ':') + 1;
  snprintf(name, NAME_ROOM, "%s%.*s", own == NULL ? "redis " : "valkey ", (int)strspn(number, "0123456789."), number);
}

static void greet(int file, const struct address *address, const struct credentials *credentials, char *name) {
  static const char ASK_WHO[] = "*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n";
  struct reply reply;
  if (credentials->password != NULL) show(file, address, credentials);
  connection_say(file, ASK_WHO, sizeof ASK_WHO - 1);
  hear_reply(file, address, &reply);
  if (begins(&reply, "-NOAUTH")) refuse(address, &reply, "INFO");
  read_version(&reply, name);
}

static size_t write_set(char *to, const struct subject *subject) {
  char expires[24];
  int digits = snprintf(expires, sizeof expires, "%llu", (unsigned long long)subject->expires_s);
  const char *words[] = {"SET", subject->key, subject->value, "EX", expires};
  size_t bytes[] = {3, strlen(subject->key), subject->value_bytes, 2, (size_t)digits};
  return write_words(to, words, bytes, 5);
}

static size_t write_get(char *to, const struct subject *subject) {
  const char *words[] = {"GET", subject->key};
  return write_command(to, words, 2);
}

static void put(int file, const struct address *address, const struct subject *subject) {
  char request[MOST_MESSAGE_BYTES + REQUEST_ROOM];
  struct reply reply;
  connection_say(file, request, write_set(request, subject));
  hear_reply(file, address, &reply);
  if (!begins(&reply, "+OK")) refuse(address, &reply, "SET");
  connection_say(file, request, write_get(request, subject));
  hear_reply(file, address, &reply);
  if (reply.data[0] != '$') refuse(address, &reply, "GET");
}

static bool remove_key(int file, const struct subject *subject) {
  const char *words[] = {"DEL", subject->key};
  char request[REQUEST_ROOM];
  char reply[64] = {0};
  connection_say(file, request, write_command(request, words, 2));
  return connection_hear(file, reply, sizeof reply - 1) > 0 && reply[0] == ':';
}

static size_t write_request(char *to, const struct subject *subject) { return command == SET ? write_set(to, subject) : write_get(to, subject); }

static size_t write_reply(char *to, const struct subject *subject) {
  if (command == SET) return (size_t)sprintf(to, "+OK\r\n");
  return (size_t)sprintf(to, "$%llu\r\n%.*s\r\n", (unsigned long long)subject->value_bytes, (int)subject->value_bytes, subject->value);
}

static const char *part(void) { return COMMANDS[command]; }

static const struct dialect dialect = {.server = &server,
                                       .what = WHAT,
                                       .variables = {.user = "HFT_REDIS_USER", .password = "REDISCLI_AUTH"},
                                       .greet = greet,
                                       .put = put,
                                       .remove = remove_key,
                                       .write_request = write_request,
                                       .write_reply = write_reply,
                                       .part = part};

static int prepare(struct run *run) { return requests_prepare(run, &dialect); }

static const struct option_spec options[] = {REQUESTS_OPTIONS, {.name = "command", .value = &command, .choices = COMMANDS}, {0}};
const struct probe redis_probe = REQUESTS_PROBE("redis", prepare, options);
