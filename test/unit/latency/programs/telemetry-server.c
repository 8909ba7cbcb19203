/* telemetry-server PATH MODE: plays the telemetry socket of a DPDK process for one connection. MODE: answer, hang, close or long. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char greeting[] = "{\"version\":\"DPDK 22.11.11\",\"pid\":1,\"max_output_len\":16384}";

int main(int argc, char **argv) {
  static char text[(1 << 17) + 4096];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
  memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
  int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0) return 1;
  if (puts("listening") < 0 || fflush(stdout) != 0) return 1;
  int peer = accept(listener, NULL, NULL);
  if (peer < 0 || send(peer, greeting, strlen(greeting), 0) < 0) return 1;
  for (;;) {
    ssize_t bytes = recv(peer, text, sizeof text - 1, 0);
    if (bytes <= 0 || strcmp(argv[2], "close") == 0) return 0;
    if (strcmp(argv[2], "hang") == 0) continue;
    text[bytes] = '\0';
    char answer[256];
    int length = snprintf(answer, sizeof answer, "{\"%.100s\":[0,1]}", text);
    if (strcmp(argv[2], "long") == 0) {
      memset(text, 'x', sizeof text);
      if (send(peer, text, sizeof text, 0) < 0) return 1;
    } else if (send(peer, answer, (size_t)length, 0) < 0) {
      return 1;
    }
  }
}
