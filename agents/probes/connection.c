#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "failure.h"

#define LONGEST_LINE 160

static bool is_printable(const char *text) {
  for (; *text != '\0'; text++)
    if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\') return false;
  return true;
}

void address_of_path(struct address *address, const char *path) {
  *address = (struct address){.is_here = true, .bytes = sizeof address->of.local, .of.local.sun_family = AF_UNIX};
  if (path[0] != '/' || !is_printable(path)) usage("--server: expected an absolute path of plain characters, got \"%.60s\"", path);
  if (strlen(path) >= sizeof address->of.local.sun_path) usage("--server: the path of a unix socket has at most 107 characters");
  memcpy(address->of.local.sun_path, path, strlen(path) + 1);
  snprintf(address->name, sizeof address->name, "unix:%s", path);
}

void address_of_loopback(struct address *address, uint16_t port) {
  *address = (struct address){.is_here = true, .bytes = sizeof address->of.v4};
  address->of.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  snprintf(address->name, sizeof address->name, "127.0.0.1:%u", port);
}

static bool is_loopback(const struct address *address) {
  if (address->of.any.sa_family == AF_INET) return ntohl(address->of.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return IN6_IS_ADDR_LOOPBACK(&address->of.v6.sin6_addr);
}

/* Numbers alone: the names of hosts are resolved by whoever starts this program. */
static void parse_numbers(struct address *address, const char *text) {
  char host[64];
  const char *colon = strrchr(text, ':');
  char *end = NULL;
  unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, &end, 10);
  bool is_bracketed = text[0] == '[' && colon != NULL && colon > text && colon[-1] == ']';
  size_t length = colon == NULL ? 0 : (size_t)(colon - text) - (is_bracketed ? 2 : 0);
  if (colon == NULL || end == colon + 1 || *end != '\0' || port == 0 || port > 65535 || length == 0 || length >= sizeof host)
    usage("--server: expected unix:/path, 127.0.0.1:PORT or [::1]:PORT, got \"%.60s\"", text);
  memcpy(host, text + (is_bracketed ? 1 : 0), length);
  host[length] = '\0';
  if (inet_pton(AF_INET, host, &address->of.v4.sin_addr) == 1) {
    address->of.v4.sin_family = AF_INET;
    address->of.v4.sin_port = htons((uint16_t)port);
    address->bytes = sizeof address->of.v4;
  } else if (inet_pton(AF_INET6, host, &address->of.v6.sin6_addr) == 1) {
    address->of.v6.sin6_family = AF_INET6;
    address->of.v6.sin6_port = htons((uint16_t)port);
    address->bytes = sizeof address->of.v6;
  } else {
    usage("--server: \"%.60s\" is no IP address", host);
  }
}

void address_parse(struct address *address, const char *text) {
  if (strncmp(text, "unix:", 5) == 0) {
    address_of_path(address, text + 5);
    return;
  }
  *address = (struct address){0};
  parse_numbers(address, text);
  address->is_here = is_loopback(address);
  snprintf(address->name, sizeof address->name, "%.120s", text);
}

uint16_t free_port(void) {
  struct sockaddr_in found = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof found;
  int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0 || bind(file, (struct sockaddr *)&found, sizeof found) != 0 || getsockname(file, (struct sockaddr *)&found, &bytes) != 0)
    unsupported("the loopback interface with 127.0.0.1: ip link set lo up", "no port of 127.0.0.1 can be had: %s", strerror(errno));
  close(file);
  return ntohs(found.sin_port);
}

int connection_try(const struct address *address) {
  int yes = 1;
  int file = socket(address->of.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  /* Neither connecting nor sending may take for ever. */
  struct timeval patience = {.tv_sec = 5};
  setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(file, &address->of.any, address->bytes) != 0) {
    int reason = errno;
    close(file);
    errno = reason == EINPROGRESS ? ETIMEDOUT : reason;
    return -1;
  }
  if (address->of.any.sa_family != AF_UNIX && setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0)
    fail("TCP_NODELAY: %s", strerror(errno));
  return file;
}

int connection_open(const struct address *address, const char *what) {
  int file = connection_try(address);
  if (file < 0) unsupported(what, "nobody can be reached at %s: %s", address->name, strerror(errno));
  return file;
}

void connection_set_patience(int file, uint64_t ms) {
  struct timeval patience = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
  if (setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("SO_RCVTIMEO: %s", strerror(errno));
}

void connection_say(int file, const void *data, size_t bytes) {
  const char *at = data;
  while (bytes > 0) {
    ssize_t written = send(file, at, bytes, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EPIPE || errno == ECONNRESET)) fail("the server closed the connection");
    if (written <= 0) fail("the connection to the server: send: %s", strerror(errno));
    at += written;
    bytes -= (size_t)written;
  }
}

size_t connection_hear(int file, char *data, size_t room) {
  for (;;) {
    ssize_t got = recv(file, data, room, 0);
    if (got >= 0) {
      errno = 0;
      return (size_t)got;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) fail("the connection to the server: recv: %s", strerror(errno));
    return 0;
  }
}

const char *first_line(const char *data, size_t bytes) {
  static _Thread_local char line[LONGEST_LINE];
  size_t length = 0;
  for (; length < bytes && length < sizeof line - 1 && data[length] != '\r' && data[length] != '\n'; length++) {
    char is = data[length];
    line[length] = is == '"' || is == '\\' ? '\'' : is < ' ' || is > '~' ? '?' : is;
  }
  line[length] = '\0';
  return line;
}
