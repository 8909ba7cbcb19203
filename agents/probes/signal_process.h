#ifndef HFT_SIGNAL_PROCESS_H
#define HFT_SIGNAL_PROCESS_H

/*
 * hft-probe signal PID START_TICKS SIGNAL: to that very process, never to a later one of the same number. 0 also when it has ended.
 * hft-probe end-session PID: SIGKILL to what a process that has ended left behind in its session.
 * hft-probe end-invocation: SIGKILL to what a run of a systemd service left behind, which INVOCATION_ID names (systemd.exec(5)): of a process whose
 * threads are in a cpuset partition systemd finds nothing in the cgroup of the service.
 */
int signal_process(char **arguments);
int end_session(char **arguments);
int end_invocation(char **arguments);

#endif
