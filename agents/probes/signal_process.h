#ifndef HFT_SIGNAL_PROCESS_H
#define HFT_SIGNAL_PROCESS_H

/*
 * hft-probe signal PID START_TICKS SIGNAL: to that very process, never to a later one of the same number. 0 also when it has ended.
 * hft-probe end-session PID: SIGKILL to what a process that has ended left behind in its session.
 */
int signal_process(char **arguments);
int end_session(char **arguments);

#endif
