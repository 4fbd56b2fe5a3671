/* An agent of libnice on loopback. It echoes the data that comes, and ends with its standard input.
 *
 *     agent controlling|controlled udp|tcp [consent|conncheck]
 *
 * It reads commands, one a line, and says what happens, one a line:
 *
 *     gather                          credentials FRAGMENT PASSWORD
 *     restart                         candidate WHAT FOLLOWS THE COLON
 *     remote FRAGMENT PASSWORD        state NAME
 *     candidate WHAT FOLLOWS THE COLON
 *                                     unsent LENGTH
 */
#include <nice/agent.h>
#include <stdio.h>
#include <string.h>

static GMainLoop *loop;
static NiceAgent *agent;
static guint stream;

static void say_credentials(void) {
    gchar *fragment, *password;
    if (!nice_agent_get_local_credentials(agent, stream, &fragment, &password))
        g_error("no credentials");
    printf("credentials %s %s\n", fragment, password);
    g_free(fragment);
    g_free(password);
}

static void say_candidate(NiceCandidate *candidate) {
    gchar *line = nice_agent_generate_local_candidate_sdp(agent, candidate);
    printf("candidate %s\n", line + strlen("a=candidate:"));
    g_free(line);
}

static void on_candidate(NiceAgent *a, NiceCandidate *candidate, gpointer data) {
    say_candidate(candidate);
}

static void on_state(NiceAgent *a, guint s, guint component, guint state, gpointer data) {
    printf("state %s\n", nice_component_state_to_string(state));
}

static void on_data(NiceAgent *a, guint s, guint component, guint length, gchar *bytes,
                    gpointer data) {
    if (nice_agent_send(agent, stream, component, length, bytes) < 0)
        printf("unsent %u\n", length);
}

static void restart(void) {
    if (!nice_agent_restart_stream(agent, stream))
        g_error("no restart");
    say_credentials();
    GSList *candidates = nice_agent_get_local_candidates(agent, stream, 1);
    /* Those that it has learnt from checks are among them, and are nobody else's business. */
    for (GSList *each = candidates; each; each = each->next)
        if (((NiceCandidate *)each->data)->type == NICE_CANDIDATE_TYPE_HOST)
            say_candidate(each->data);
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

static void take_candidate(const gchar *text) {
    gchar *line = g_strconcat("a=candidate:", text, NULL);
    NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(agent, stream, line);
    g_free(line);
    if (!candidate)
        g_error("no candidate: %s", text);
    GSList *candidates = g_slist_prepend(NULL, candidate);
    nice_agent_set_remote_candidates(agent, stream, 1, candidates);
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

static void obey(gchar *line) {
    gchar **words = g_strsplit(line, " ", 3);
    if (strcmp(words[0], "gather") == 0) {
        say_credentials();
        nice_agent_gather_candidates(agent, stream);
    } else if (strcmp(words[0], "restart") == 0) {
        restart();
    } else if (strcmp(words[0], "remote") == 0) {
        nice_agent_set_remote_credentials(agent, stream, words[1], words[2]);
    } else if (strcmp(words[0], "candidate") == 0) {
        take_candidate(line + strlen("candidate "));
    } else {
        g_error("unknown: %s", line);
    }
    g_strfreev(words);
}

static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data) {
    gchar *line;
    gsize end;
    while (1) {
        switch (g_io_channel_read_line(input, &line, NULL, &end, NULL)) {
        case G_IO_STATUS_NORMAL:
            line[end] = 0;
            obey(line);
            g_free(line);
            break;
        case G_IO_STATUS_AGAIN:
            return TRUE;
        default:
            g_main_loop_quit(loop);
            return FALSE;
        }
    }
}

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    gboolean controls = strcmp(arguments[1], "controlling") == 0;
    gboolean tcp = strcmp(arguments[2], "tcp") == 0;
    NiceAgentOption options = NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_ICE_TRICKLE;
    const char *liveness = count > 3 ? arguments[3] : "";
    if (strcmp(liveness, "consent") == 0)
        options |= NICE_AGENT_OPTION_CONSENT_FRESHNESS;
    setvbuf(stdout, NULL, _IOLBF, 0);
    loop = g_main_loop_new(NULL, FALSE);
    agent = nice_agent_new_full(NULL, NICE_COMPATIBILITY_RFC5245, options);
    g_object_set(agent, "controlling-mode", controls, "ice-udp", !tcp, "ice-tcp", tcp, "upnp",
                 FALSE, "keepalive-conncheck", strcmp(liveness, "conncheck") == 0, NULL);
    g_signal_connect(agent, "new-candidate-full", G_CALLBACK(on_candidate), NULL);
    g_signal_connect(agent, "component-state-changed", G_CALLBACK(on_state), NULL);
    NiceAddress address;
    nice_address_init(&address);
    nice_address_set_from_string(&address, "127.0.0.1");
    nice_agent_add_local_address(agent, &address);
    stream = nice_agent_add_stream(agent, 1);
    nice_agent_attach_recv(agent, stream, 1, NULL, on_data, NULL);
    GIOChannel *input = g_io_channel_unix_new(0);
    g_io_channel_set_flags(input, G_IO_FLAG_NONBLOCK, NULL);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_input, NULL);
    g_main_loop_run(loop);
    return 0;
}
