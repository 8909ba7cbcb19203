#ifndef HFT_NOTIFY_LISTEN_H
#define HFT_NOTIFY_LISTEN_H

/* hft-probe notify-listen PATH: takes what processes say by sd_notify(3), and prints it: "PID TEXT", one line for each line of a message. */
int notify_listen(char **arguments);

#endif
