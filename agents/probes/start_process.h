#ifndef HFT_START_PROCESS_H
#define HFT_START_PROCESS_H

/* hft-probe start --option value ... -- PROGRAM ARGUMENT ...: becomes that program. Ends with systemd's exit codes where it cannot. */
_Noreturn void start_process(char **arguments);

#endif
