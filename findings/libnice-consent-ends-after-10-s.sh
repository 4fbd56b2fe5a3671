#!/usr/bin/env bash
# libnice 0.1.21 (Debian's libnice-dev): an agent that asks for consent
# (NICE_AGENT_OPTION_CONSENT_FRESHNESS) is `failed` after 10 s without an answer, not after the 30 s
# of RFC 7675 §5.1. When the path is back after 20 s, two such agents stay `failed`. Without the
# option the same silence changes nothing.
#
# Two agents of one process on loopback, in a network namespace whose UDP is dropped for 20 s. Needs
# root.
#
# Seen: with consent: ready, sends 4; failed within 11 s; back: failed, sends -1
# Seen: without: ready, sends 4; ready after 20 s; back: ready, sends 4
set -euo pipefail
folder=$(mktemp -d)
space=finding-$$
trap 'ip netns delete "$space" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
for package in libnice-dev pkg-config gcc iproute2 nftables; do
    dpkg-query -W "$package" >/dev/null 2>&1 || apt-get install -y -qq "$package" >/dev/null
done
[[ $(pkg-config --modversion nice) == 0.1.21 ]] || { echo "this is about libnice 0.1.21" >&2; exit 1; }

cat > pair.c <<'END'
#include <nice/agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NiceAgent *agents[2];
static guint streams[2];
static NiceComponentState states[2];
static gint64 failed_at;

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data) {
    states[agent == agents[1]] = state;
    if (state == NICE_COMPONENT_STATE_FAILED && !failed_at)
        failed_at = g_get_monotonic_time();
}

static void on_data(NiceAgent *agent, guint stream, guint component, guint length, gchar *bytes,
                    gpointer data) {}

static void run_for(double seconds) {
    gint64 end = g_get_monotonic_time() + (gint64)(seconds * 1e6);
    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
}

static void introduce(int from, int to) {
    gchar *fragment, *password;
    nice_agent_get_local_credentials(agents[from], streams[from], &fragment, &password);
    nice_agent_set_remote_credentials(agents[to], streams[to], fragment, password);
    GSList *candidates = nice_agent_get_local_candidates(agents[from], streams[from], 1);
    nice_agent_set_remote_candidates(agents[to], streams[to], 1, candidates);
}

static const char *shown(void) {
    return nice_component_state_to_string(states[0]);
}

int main(int count, char **arguments) {
    gboolean consent = count > 1;
    NiceAgentOption options = NICE_AGENT_OPTION_REGULAR_NOMINATION;
    if (consent)
        options |= NICE_AGENT_OPTION_CONSENT_FRESHNESS;
    for (int i = 0; i < 2; i++) {
        agents[i] = nice_agent_new_full(NULL, NICE_COMPATIBILITY_RFC5245, options);
        g_object_set(agents[i], "controlling-mode", i == 0, "upnp", FALSE, "ice-tcp", FALSE, NULL);
        g_signal_connect(agents[i], "component-state-changed", G_CALLBACK(on_state), NULL);
        NiceAddress here;
        nice_address_init(&here);
        nice_address_set_from_string(&here, "127.0.0.1");
        nice_agent_add_local_address(agents[i], &here);
        streams[i] = nice_agent_add_stream(agents[i], 1);
        nice_agent_attach_recv(agents[i], streams[i], 1, NULL, on_data, NULL);
        nice_agent_gather_candidates(agents[i], streams[i]);
    }
    run_for(1);
    introduce(0, 1);
    introduce(1, 0);
    run_for(8);
    printf("%s, sends %d; ", shown(), nice_agent_send(agents[0], streams[0], 1, 4, "ping"));
    if (system("nft add table ip f && nft 'add chain ip f c { type filter hook input priority 0 ; }' "
               "&& nft add rule ip f c meta l4proto udp drop"))
        return 1;
    gint64 dropped_at = g_get_monotonic_time();
    run_for(20);
    if (failed_at && failed_at - dropped_at < 11000000)
        printf("failed within 11 s; ");
    else
        printf("%s after 20 s; ", shown());
    if (system("nft delete table ip f"))
        return 1;
    run_for(10);
    printf("back: %s, sends %d\n", shown(), nice_agent_send(agents[0], streams[0], 1, 4, "ping"));
    return 0;
}
END
# shellcheck disable=SC2046
gcc -o pair pair.c $(pkg-config --cflags --libs nice)
ip netns add "$space"
ip -n "$space" link set lo up
with=$(ip netns exec "$space" ./pair consent)
without=$(ip netns exec "$space" ./pair)
echo "with consent: $with"
echo "without: $without"
[[ $with == "ready, sends 4; failed within 11 s; back: failed, sends -1" ]]
[[ $without == "ready, sends 4; ready after 20 s; back: ready, sends 4" ]]
