/* The commands about output: a program writes into a pipe, and somebody takes it from there. */
#include "floor.h"
#include <sys/wait.h>
#include <time.h>

static char piece[1 << 20];

static pid_t program(const char *file, int times, int *out)    /* that writes a file some times into a pipe */
{
    int ends[2];
    DO(pipe2(ends, O_CLOEXEC));
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    pid_t pid = fork();
    DO(pid);
    if (pid == 0) {
        close(ends[0]);
        for (int i = 0; i < times; i++) {
            int fd = open(file, O_RDONLY | O_CLOEXEC);
            DO(fd);
            for (ssize_t part; (part = read(fd, piece, 128 << 10)) > 0;)
                for (ssize_t done = 0, some; done < part; done += some)
                    DO(some = write(ends[1], piece + done, part - done));
            close(fd);
        }
        _exit(0);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

void do_log(const char *file, const char *out)
{
    static char text[64 << 20];
    double began = now();
    char tail[128];
    int in, target = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), fresh = 1;
    DO(target);
    pid_t pid = program(file, 1, &in);
    for (ssize_t size; (size = read(in, piece, sizeof piece)) > 0;) {
        struct timespec t;
        struct tm when;
        clock_gettime(CLOCK_REALTIME, &t);
        gmtime_r(&t.tv_sec, &when);
        int length = snprintf(tail, sizeof tail, "\\n\",\"stream\":\"stdout\",\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ\"}\n",
                              when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec, t.tv_nsec);
        char *to = text;
        for (ssize_t i = 0; i < size; i++) {
            if (fresh)
                to = mempcpy(to, "{\"log\":\"", 8);
            fresh = piece[i] == '\n';
            if (fresh)
                to = mempcpy(to, tail, length);
            else if (piece[i] == '"' || piece[i] == '\\') {
                *to++ = '\\';
                *to++ = piece[i];
            } else
                *to++ = piece[i];
        }
        DO(write(target, text, to - text));
    }
    waitpid(pid, 0, 0);
    printf("%f\n", now() - began);
    close(in);
    close(target);
}

void do_relay(const char *file, int times)
{
    double began = now();
    int in, ends[2];
    pid_t writer = program(file, times, &in);
    DO(pipe2(ends, O_CLOEXEC));
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    pid_t mover = fork();
    DO(mover);
    if (mover == 0) {
        close(ends[0]);
        for (ssize_t part; (part = splice(in, 0, ends[1], 0, 1 << 20, SPLICE_F_MOVE)) != 0;)
            DO(part);
        _exit(0);
    }
    close(in);
    close(ends[1]);
    while (read(ends[0], piece, sizeof piece) > 0)
        ;
    waitpid(writer, 0, 0);
    waitpid(mover, 0, 0);
    close(ends[0]);
    printf("%f\n", now() - began);
}
