/* hft-probe-zmq zeromq --option value ...: what hft-probe becomes for that probe. Frames on stdout, as of every probe. */
#include <string.h>
#include <unistd.h>

#include "../clock.h"
#include "../failure.h"
#include "patterns.h"

int main(int argc, char **argv) {
  if (argc < 2 || strcmp(argv[1], zeromq_probe.name) != 0) usage("expected the name of the probe: zeromq");
  bool is_raw = argc > 3 && strcmp(argv[2], "--clock") == 0 && strcmp(argv[3], "raw") == 0;
  clock_choose(is_raw);
  run_probe(&zeromq_probe, argv + (is_raw ? 4 : 2));
  /* The library's threads still run: what it does at an orderly exit is not for them. */
  _exit(EXIT_DONE);
}
