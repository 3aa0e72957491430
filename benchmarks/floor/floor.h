/* What the parts of the floor have in common; main.c says what it is. */
#ifndef FLOOR_H
#define FLOOR_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define PATH 4096
#define DO(call) do { if ((call) < 0) fail(#call); } while (0)
#define SPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)

extern const char *rootfs, *workdir;
extern char **groups;
extern int group_count, v2;            /* v2: index of that hierarchy in groups, or -1 */

/* main.c */
void fail(const char *what);
double now(void);                       /* milliseconds */
void put(const char *folder, const char *name, const char *text);
int there(const char *folder, const char *name);

/* groups.c */
void group_path(char *path, int hierarchy, const char *id);
void make_groups(const char *id);
void join_groups(const char *id);
void remove_groups(const char *id);

/* space.c: one container */
struct container {
    char id[64], home[PATH];
    pid_t pid;
    int pidfd, mounts;
};

void make_fixtures(void);
void create(struct container *c);
void start(struct container *c, int is_volatile, const char *program);
void wait_for(struct container *c);
void set_aside(struct container *c);
void clean(struct container *c);
void confine(void);
void become(const char *program);

/* containers.c: the commands about containers */
extern struct container held;

void do_start(int is_volatile);
void do_exec(void);
void finish(struct container *c);
void do_storm(int workers, int count);
void do_crowd(int count);
void do_memory(int count);

/* trees.c: the commands about trees */
void do_unpack(const char *tar, const char *folder);
void do_copy(const char *from, const char *to);
void do_pack(const char *folder, const char *file);

/* output.c: the commands about output */
void do_log(const char *file, const char *out);
void do_relay(const char *file, int times);

#endif
