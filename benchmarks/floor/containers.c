/* The commands about containers: one, one more process in it, many. */
#include "floor.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

void do_start(int is_volatile)
{
    struct container c;
    double began = now(), created, started, ended;
    create(&c);
    created = now();
    start(&c, is_volatile, "true");
    started = now();
    wait_for(&c);
    ended = now();
    set_aside(&c);
    printf("%f %f %f %f\n", created - began, started - created, ended - started, now() - ended);
    fflush(stdout);
    clean(&c);
}

struct container held;

void do_exec(void)
{
    double began = now();
    pid_t pid = fork();
    DO(pid);
    if (pid == 0) {
        join_groups(held.id);
        DO(setns(held.pidfd, SPACES | CLONE_NEWCGROUP));
        pid_t inner = fork();
        DO(inner);
        if (inner == 0) {
            DO(chdir("/"));
            confine();
            become("true");
        }
        int status;
        DO(waitpid(inner, &status, 0));
        _exit(status != 0);
    }
    int status;
    DO(waitpid(pid, &status, 0));
    if (status)
        fail("exec");
    printf("%f\n", now() - began);
}

void finish(struct container *c)
{
    DO(kill(c->pid, SIGKILL));
    wait_for(c);
    set_aside(c);
    clean(c);
}

void do_storm(int workers, int count)
{
    double began = now();
    for (int w = 0; w < workers; w++) {
        pid_t pid = fork();
        DO(pid);
        if (pid == 0) {
            struct container c;
            for (int i = w; i < count; i += workers) {
                create(&c);
                start(&c, 1, "true");
                wait_for(&c);
                set_aside(&c);
                clean(&c);
            }
            _exit(0);
        }
    }
    for (int w = 0, status; w < workers; w++) {
        DO(wait(&status));
        if (status)
            fail("storm");
    }
    printf("%f\n", now() - began);
}

void do_crowd(int count)
{
    int running[2], go[2];
    char byte;
    DO(pipe2(running, O_CLOEXEC));
    DO(pipe2(go, O_CLOEXEC));
    double began = now();
    for (int w = 0; w < count; w++) {
        pid_t pid = fork();
        DO(pid);
        if (pid == 0) {
            struct container c;
            close(go[1]);
            create(&c);
            start(&c, 1, "sleep");
            DO(write(running[1], "r", 1));
            DO(read(go[0], &byte, 1));          /* until it is closed */
            finish(&c);
            _exit(0);
        }
    }
    for (int w = 0; w < count; w++)
        DO(read(running[0], &byte, 1));
    printf("%f\n", now() - began);
    fflush(stdout);
    close(go[0]);
    close(go[1]);
    close(running[0]);
    close(running[1]);
    for (int w = 0; w < count; w++)
        wait(0);
}

static long pss_of(pid_t pid)
{
    char path[PATH], line[256];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file))
        sscanf(line, "Pss: %ld", &kilobytes);
    fclose(file);
    return kilobytes;
}

void do_memory(int count)
{
    pid_t *pids = calloc(count, sizeof *pids);
    long kilobytes = 0;
    int ready[2];
    char byte;
    DO(pipe2(ready, O_CLOEXEC));
    for (int i = 0; i < count; i++) {
        DO(pids[i] = fork());
        if (pids[i] == 0) {
            pid_t child = fork();
            DO(child);
            if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                DO(chroot(rootfs));
                become("sleep");
            }
            DO(write(ready[1], "r", 1));
            waitpid(child, 0, 0);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++)
        DO(read(ready[0], &byte, 1));
    for (int i = 0; i < count; i++)
        kilobytes += pss_of(pids[i]);
    for (int i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], 0, 0);
    }
    close(ready[0]);
    close(ready[1]);
    free(pids);
    printf("%ld\n", kilobytes);
}
