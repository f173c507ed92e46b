/* A wall clock that is wrong for one process: preloaded, it adds the seconds written in the file that
 * $LAB_CLOCK_SHIFT names (a decimal number, read again at most every tenth of a second) to every reading of the wall
 * clock. Intervals (monotonic and boot time), sleeps and the times of files are left alone.
 * libfaketime 0.9.10, Debian 12's, would do the same, but makes Python's time.sleep fail: it shifts clock_nanosleep
 * to an absolute monotonic time too.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long shift_ns(void)
{
    static long long known;
    static struct timespec next;
    struct timespec now;
    const char *path = getenv("LAB_CLOCK_SHIFT");
    char text[64];
    long got;
    int file;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (!path || now.tv_sec < next.tv_sec || (now.tv_sec == next.tv_sec && now.tv_nsec < next.tv_nsec))
        return known;
    next = now;
    next.tv_nsec += 100000000;
    if (next.tv_nsec >= 1000000000) {
        next.tv_nsec -= 1000000000;
        next.tv_sec++;
    }
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return known;
    got = read(file, text, sizeof text - 1);
    close(file);
    if (got > 0) {
        text[got] = 0;
        known = (long long)(strtod(text, NULL) * 1000) * 1000000;
    }
    return known;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    long long ns;
    long code = syscall(SYS_clock_gettime, clock, out);

    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        ns = out->tv_sec * 1000000000LL + out->tv_nsec + shift_ns();
        out->tv_sec = ns / 1000000000;
        out->tv_nsec = ns % 1000000000;
        if (out->tv_nsec < 0) {
            out->tv_nsec += 1000000000;
            out->tv_sec--;
        }
    }
    return (int)code;
}

int gettimeofday(struct timeval *out, void *zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
