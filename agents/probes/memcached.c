/*
 * memcached: get, in the text protocol (https://github.com/memcached/memcached/blob/master/doc/protocol.txt). The key is one of its
 * own and expires.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "probes.h"
#include "requests.h"

#define WHAT "a memcached server that speaks the text protocol"

static const char *const PROGRAMS[] = {"memcached", NULL};

/* One thread, 16 MiB, no UDP; -Y: over TCP, where anybody on this host could come, only with the password. */
static void compose(struct server_command *server, const struct server_place *place) {
  char **argument = server->arguments;
  const char *always[] = {place->program, "-t", "1", "-m", "16", "-U", "0"};
  for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) *argument++ = (char *)always[i];
  if (place->port == 0) {
    snprintf(server->text, sizeof server->text, "%s", place->socket);
    *argument++ = (char *)"-s";
    *argument++ = server->text;
    return;
  }
  snprintf(server->settings, sizeof server->settings, "hft:%s\n", place->password);
  snprintf(server->text, sizeof server->text, "%u", place->port);
  snprintf(server->text + 16, sizeof server->text - 16, "%s", place->settings);
  char *over_tcp[] = {(char *)"-l", (char *)"127.0.0.1", (char *)"-p", server->text, (char *)"-Y", server->text + 16};
  for (size_t i = 0; i < sizeof over_tcp / sizeof over_tcp[0]; i++) *argument++ = over_tcp[i];
}

static const struct server_kind server = {
    .programs = PROGRAMS,
    .need = "memcached (Debian and Ubuntu: apt-get install memcached), or one that runs: --memcached",
    .compose = compose};

/* One line; longer ones are not among the replies to what is asked here. */
static const char *hear_line(int file, const struct address *address) {
  char reply[512];
  size_t bytes = 0;
  while (bytes < sizeof reply && memchr(reply, '\n', bytes) == NULL) {
    size_t got = connection_hear(file, reply + bytes, sizeof reply - bytes);
    if (got == 0 && bytes == 0)
      unsupported(WHAT, "the server at %s %s", address->name, errno == EAGAIN ? "does not answer" : "closes the connection at once");
    if (got == 0) break;
    bytes += got;
  }
  return first_line(reply, bytes);
}

static bool begins(const char *line, const char *with) { return strncmp(line, with, strlen(with)) == 0; }

static _Noreturn void refuse(const struct address *address, const char *line) {
  if (strstr(line, "unauthenticated") != NULL || strstr(line, "authentication") != NULL)
    unsupported("a memcached server without a password", "the server at %s asks for a password: %s", address->name, line);
  unsupported(WHAT, "what answers at %s does not speak the text protocol of memcached, or refuses: '%s'", address->name, line);
}

static void greet(int file, const struct address *address, const struct credentials *credentials, char *name) {
  char request[128];
  if (credentials->password != NULL) {
    const char *password = credentials->password;
    int length = snprintf(request, sizeof request, "set auth 0 0 %zu\r\nhft %.64s\r\n", strlen(password) + 4, password);
    connection_say(file, request, (size_t)length);
    const char *line = hear_line(file, address);
    if (!begins(line, "STORED")) refuse(address, line);
  }
  connection_say(file, "version\r\n", 9);
  const char *line = hear_line(file, address);
  if (!begins(line, "VERSION ")) refuse(address, line);
  snprintf(name, NAME_ROOM, "memcached %.40s", line + 8);
}

static void put(int file, const struct address *address, const struct subject *subject) {
  char request[MOST_MESSAGE_BYTES + REQUEST_ROOM];
  int length = snprintf(request, sizeof request, "set %s 0 %llu %llu\r\n%.*s\r\n", subject->key, (unsigned long long)subject->expires_s,
                        (unsigned long long)subject->value_bytes, (int)subject->value_bytes, subject->value);
  connection_say(file, request, (size_t)length);
  const char *line = hear_line(file, address);
  if (!begins(line, "STORED")) refuse(address, line);
}

static bool remove_key(int file, const struct subject *subject) {
  char text[REQUEST_ROOM];
  connection_say(file, text, (size_t)sprintf(text, "delete %s\r\n", subject->key));
  size_t got = connection_hear(file, text, sizeof text - 1);
  text[got] = '\0';
  return begins(text, "DELETED") || begins(text, "NOT_FOUND");
}

static size_t write_request(char *to, const struct subject *subject) { return (size_t)sprintf(to, "get %s\r\n", subject->key); }

static size_t write_reply(char *to, const struct subject *subject) {
  return (size_t)sprintf(to, "VALUE %s 0 %llu\r\n%.*s\r\nEND\r\n", subject->key, (unsigned long long)subject->value_bytes,
                         (int)subject->value_bytes, subject->value);
}

static const char *part(void) { return "get"; }

static const struct dialect dialect = {.server = &server,
                                       .what = WHAT,
                                       .greet = greet,
                                       .put = put,
                                       .remove = remove_key,
                                       .write_request = write_request,
                                       .write_reply = write_reply,
                                       .part = part};

static int prepare(struct run *run) { return requests_prepare(run, &dialect); }

static const struct option_spec options[] = {REQUESTS_OPTIONS, {0}};
const struct probe memcached_probe = REQUESTS_PROBE("memcached", prepare, options);
