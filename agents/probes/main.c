/* hft-probe PROBE --option value ...: the measuring loops of `hft verify latency`. Frames on stdout, see frames.h. */
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "failure.h"
#include "keep_trace.h"
#include "load.h"
#include "notify_listen.h"
#include "partition.h"
#include "place_threads.h"
#include "probes.h"
#include "read_clocks.h"
#include "self_test.h"
#include "serve.h"
#include "signal_process.h"
#include "start_process.h"
#include "telemetry.h"
#include "xdp_features.h"
#include "zeromq.h"

static const struct probe *const probes[] = {&jitter_probe, &wakeup_probe, &core_to_core_probe, &shm_probe, &unix_probe,
                                           &pipe_probe,   &futex_probe,  &tcp_probe,          &udp_probe, &redis_probe, &memcached_probe,
                                           &network_probe, &pipeline_probe};

int main(int argc, char **argv) {
  if (argc < 2)
    usage("expected the name of a probe: jitter, wakeup, core-to-core, shm, unix-socket, pipe, futex, tcp, udp, zeromq, redis, memcached, network, pipeline");
  if (strcmp(argv[1], "keep-trace") == 0) return keep_trace(argv + 2);
  if (strcmp(argv[1], "place-threads") == 0) return place_threads(argv + 2);
  if (strcmp(argv[1], "check-partition") == 0) return check_partition(argv + 2);
  if (strcmp(argv[1], "start") == 0) start_process(argv + 2);
  if (strcmp(argv[1], "signal") == 0) return signal_process(argv + 2);
  if (strcmp(argv[1], "end-session") == 0) return end_session(argv + 2);
  if (strcmp(argv[1], "end-invocation") == 0) return end_invocation(argv + 2);
  if (strcmp(argv[1], "notify-listen") == 0) return notify_listen(argv + 2);
  if (strcmp(argv[1], "telemetry") == 0) return telemetry(argv + 2);
  if (strcmp(argv[1], "read-clocks") == 0) return read_clocks(argv + 2);
  if (strcmp(argv[1], "xdp-features") == 0) return xdp_features(argv + 2);
  if (strcmp(argv[1], "load") == 0) return load(argv + 2);
  if (strcmp(argv[1], "serve") == 0) return serve(argv + 2);
  if (strcmp(argv[1], "zeromq") == 0) zeromq(argv);
  /* What a load starts. */
  if (strcmp(argv[1], "nothing") == 0) return EXIT_DONE;
  clock_choose(argc > 3 && strcmp(argv[2], "--clock") == 0 && strcmp(argv[3], "raw") == 0);
  char **arguments = argv + 2;
  if (argc > 3 && strcmp(argv[2], "--clock") == 0) arguments += 2;
  if (strcmp(argv[1], "clock") == 0) {
    if (*arguments != NULL) usage("there is no option %.40s here", *arguments);
    clock_print_choice();
    return EXIT_DONE;
  }
  if (strcmp(argv[1], "self-test") == 0) return self_test(arguments);
  for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
    if (strcmp(argv[1], probes[i]->name) != 0) continue;
    run_probe(probes[i], arguments);
    return EXIT_DONE;
  }
  usage("there is no probe \"%.40s\"", argv[1]);
}
