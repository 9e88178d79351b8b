# Varnish before Cheeseshop: what is cached, for how long, how it is forgotten, and what is served meanwhile.
#
# For Varnish 7 with the modules xkey and var of the package "varnish-modules". It is included by the site's own
# VCL, which defines a backend and two lists of addresses (deploy/varnish/default.vcl is one to start from):
#
#   acl purgers    who may purge; a secret may be asked for besides: in vcl_init of the site,
#                  var.global_set("cheeseshop.secret", "...")
#   acl proxies    whose X-Forwarded-For and X-Forwarded-Proto are believed
#
# Headers beginning X-Cheeseshop- are this file's own notes; nobody outside gets to send or see them.

vcl 4.1;

import std;
import var;
import xkey;

sub vcl_recv {
    if (req.restarts == 0) {
        unset req.http.X-Cheeseshop-Refresh;
        unset req.http.X-Cheeseshop-Stale;
        unset req.http.X-Cheeseshop-Status;
        unset req.http.X-Cheeseshop-Purged;
        if (remote.ip !~ proxies) {
            set req.http.X-Forwarded-For = client.ip;
            unset req.http.X-Forwarded-Proto;
            unset req.http.Forwarded;
        }
    }
    if (req.method == "PURGE") {
        call cheeseshop_purge;
    }
    # These are for Varnish alone, and say nothing to the index.
    unset req.http.xkey;
    unset req.http.Purge-Secret;
    unset req.http.Purge-Mode;
    if (req.method != "GET" && req.method != "HEAD") {
        # An upload streams through.
        set req.http.X-Cheeseshop-Status = "fwd=method";
        return (pass);
    }
    if (req.http.Authorization || req.http.Cookie) {
        set req.http.X-Cheeseshop-Status = "fwd=request";
        return (pass);
    }
    if (req.url ~ "^/packages/" && req.url !~ "\.metadata$") {
        # Large, addressed by content, asked for in ranges. A pipe holds nothing back in memory, however slow
        # the client is; where that cannot be, over HTTP/2, it is passed.
        set req.http.X-Cheeseshop-Status = "fwd=bypass";
        if (req.proto == "HTTP/2.0") {
            return (pass);
        }
        return (pipe);
    }
    if (req.url ~ "^/api/changes/stream(\?|$)" || req.url ~ "^/api/changes\?(.*[&;])?wait=") {
        # What goes on, or waits, is for one client alone.
        set req.http.X-Cheeseshop-Status = "fwd=bypass";
        return (pass);
    }
    call cheeseshop_query;
    if (req.url ~ "^/simple(/|\?|$)") {
        call cheeseshop_accept;
    }
    return (hash);
}

sub cheeseshop_purge {
    if (client.ip !~ purgers) {
        return (synth(403, "Forbidden"));
    }
    if (var.global_get("cheeseshop.secret") != ""
        && req.http.Purge-Secret != var.global_get("cheeseshop.secret")) {
        return (synth(403, "Forbidden"));
    }
    std.collect(req.http.xkey, " ");
    if (!req.http.xkey) {
        return (synth(400, "Bad Request"));
    }
    if (req.http.Purge-Mode == "hard") {
        set req.http.X-Cheeseshop-Purged = xkey.purge(req.http.xkey);
    } else {
        set req.http.X-Cheeseshop-Purged = xkey.softpurge(req.http.xkey);
    }
    return (synth(200, "Purged"));
}

# One page, one URL: parameters that no route reads are dropped, the others sorted.
sub cheeseshop_query {
    if (req.url !~ "\?") {
        return;
    }
    if (req.url ~ "^/(api|search|account|accounts|admin|cgi-bin|legacy|locale|manage|pypi)(/|\?|$)"
        || req.url ~ "(?i)(:|%3a)action=") {
        set req.url = std.querysort(req.url);
        return;
    }
    if (req.url ~ "^/simple(/|\?)") {
        if (req.url ~ "^[^?;]*\?([^;%]*&)?format=([a-z0-9.+/-]|%2[bBfF])+(&[^;%]*)?$"
            && req.url !~ "format=.*[?&]format=") {
            set req.url = regsub(req.url, "^([^?]*)\?(?:.*&)?(format=[^&]+).*$", "\1?\2");
            return;
        }
        if (req.url ~ "\?.*[%;]" || req.url ~ "[?&]format=") {
            # Who writes it so strangely is answered by the index itself.
            set req.http.X-Cheeseshop-Status = "fwd=bypass";
            return (pass);
        }
    }
    if (req.url ~ "^/(project|user)/") {
        if (req.url ~ "^[^?;]*\?([^;%]*&)?page=[0-9]+(&[^;%]*)?$" && req.url !~ "[?&]page=.*&page=") {
            set req.url = regsub(req.url, "^([^?]*)\?(?:.*&)?(page=[0-9]+).*$", "\1?\2");
            return;
        }
        if (req.url ~ "\?.*[%;]" || req.url ~ "[?&]page=") {
            set req.http.X-Cheeseshop-Status = "fwd=bypass";
            return (pass);
        }
    }
    set req.url = regsub(req.url, "\?.*$", "");
}

# One of three values for all that clients write, wherever it is certain what the index would choose.
sub cheeseshop_accept {
    std.collect(req.http.Accept);
    if (!req.http.Accept || req.http.Accept !~ "(?i)(text|application)/"
        || req.http.Accept ~ "(?i)^([^,]{1,200},){0,10}[ \t]{0,4}text/html[ \t]{0,4}(,[^,]{1,200}){0,10}$") {
        set req.http.Accept = "text/html";
    } else if (req.http.Accept ~ "(?i)^application/vnd\.pypi\.simple\.(v1|latest)\+json([ \t]{0,4},[ \t]{0,4}[a-z0-9*]{1,40}/[a-z0-9.+*-]{1,60}[ \t]{0,4};[ \t]{0,4}q=0(\.[0-9]{0,3})?){0,10}$") {
        set req.http.Accept = "application/vnd.pypi.simple.v1+json";
    } else if (req.http.Accept ~ "(?i)^application/vnd\.pypi\.simple\.(v1|latest)\+html([ \t]{0,4},[ \t]{0,4}[a-z0-9*]{1,40}/[a-z0-9.+*-]{1,60}[ \t]{0,4};[ \t]{0,4}q=0(\.[0-9]{0,3})?){0,10}$") {
        set req.http.Accept = "application/vnd.pypi.simple.v1+html";
    } else {
        set req.http.X-Cheeseshop-Status = "fwd=bypass";
        return (pass);
    }
}

sub vcl_hash {
    hash_data(req.url);
    hash_data(req.http.Host);
    return (lookup);
}

# Fresh: served. Expired by itself: served while it is asked for anew, as long as the index allows that. Purged:
# asked for anew first, by one for all who wait, so that nobody reads what a change has made old. While the
# index does not answer: served all the same.
sub vcl_hit {
    set req.http.X-Cheeseshop-Status = "hit";
    if (obj.ttl >= 0s) {
        return (deliver);
    }
    # Longer than the time-outs of the backend: who tries again does not begin by making somebody wait.
    if (req.http.X-Cheeseshop-Stale || !std.healthy(req.backend_hint)
        || std.real(var.global_get("cheeseshop.failed"), 0.0) + 15.0 > std.time2real(now, 0.0)) {
        return (deliver);
    }
    if (obj.age + obj.ttl >= std.duration(obj.http.X-Cheeseshop-Life, 0s) - 0.5s
        && obj.ttl + std.duration(obj.http.X-Cheeseshop-While, 0s) >= 0s) {
        return (deliver);
    }
    set req.http.X-Cheeseshop-Refresh = "1";
    set req.grace = 0s;
    return (restart);
}

sub vcl_miss {
    if (req.http.X-Cheeseshop-Refresh) {
        set req.http.X-Cheeseshop-Status = "fwd=stale";
    } else {
        set req.http.X-Cheeseshop-Status = "fwd=miss";
    }
    return (fetch);
}

sub vcl_pipe {
    # One request for each pipe: whatever the client writes after it goes nowhere.
    set bereq.http.Connection = "close";
    unset bereq.http.X-Cheeseshop-Status;
    return (pipe);
}

sub vcl_pass {
    if (!req.http.X-Cheeseshop-Status || req.http.X-Cheeseshop-Status == "hit") {
        set req.http.X-Cheeseshop-Status = "fwd=bypass";
    }
    return (fetch);
}

sub vcl_backend_fetch {
    unset bereq.http.X-Cheeseshop-Status;
    if (bereq.uncacheable) {
        # An upload is looked into before it is answered, and a file may be on its way from far away.
        set bereq.first_byte_timeout = 120s;
        set bereq.between_bytes_timeout = 60s;
        return (fetch);
    }
    if ((bereq.is_bgfetch || bereq.http.X-Cheeseshop-Refresh)
        && std.real(var.global_get("cheeseshop.failed"), 0.0) + 1.0 > std.time2real(now, 0.0)) {
        # There is something stale to be served, and whoever asked a moment ago got no answer.
        return (abandon);
    }
    return (fetch);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.status >= 500) {
        if (beresp.status >= 502) {
            var.global_set("cheeseshop.failed", std.time2real(now, 0.0));
        }
        if (bereq.is_bgfetch || bereq.http.X-Cheeseshop-Refresh) {
            return (abandon);
        }
        # For a second nobody waits for anybody else's failure.
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    if (var.global_get("cheeseshop.failed") != "") {
        var.global_set("cheeseshop.failed", "");
    }
    call cheeseshop_lifetime;
    if (beresp.ttl <= 0s || beresp.http.Set-Cookie || beresp.http.Vary ~ "\*"
        || beresp.http.Cache-Control ~ "(?i)(^|[ ,])(private|no-store)") {
        set beresp.uncacheable = true;
        set beresp.ttl = 120s;
        set beresp.grace = 0s;
        return (deliver);
    }
    # Everything has one tag in common, by which everything is purged.
    std.collect(beresp.http.xkey, " ");
    set beresp.http.xkey = beresp.http.xkey + " everything";
    set beresp.http.X-Cheeseshop-Life = "" + (beresp.age + beresp.ttl) + "s";
    return (deliver);
}

# Surrogate-Control, else CDN-Cache-Control (RFC 9213), else what Varnish makes of Cache-Control.
sub cheeseshop_lifetime {
    std.collect(beresp.http.Surrogate-Control);
    std.collect(beresp.http.CDN-Cache-Control);
    set beresp.http.X-Cheeseshop-Control = beresp.http.Surrogate-Control;
    if (!beresp.http.Surrogate-Control) {
        set beresp.http.X-Cheeseshop-Control = beresp.http.CDN-Cache-Control;
    }
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    unset beresp.http.X-Cheeseshop-While;
    if (beresp.http.X-Cheeseshop-Control ~ "(^|[ ,])max-age=[0-9]+"
        && beresp.http.X-Cheeseshop-Control !~ "(^|[ ,])(no-store|private)") {
        set beresp.ttl = std.duration(
            regsub(beresp.http.X-Cheeseshop-Control, "^(?:.*[ ,])?max-age=([0-9]{1,9}).*$", "\1") + "s", 0s);
        if (beresp.http.X-Cheeseshop-Control ~ "(^|[ ,])stale-while-revalidate=[0-9]+") {
            set beresp.http.X-Cheeseshop-While = regsub(
                beresp.http.X-Cheeseshop-Control, "^(?:.*[ ,])?stale-while-revalidate=([0-9]{1,9}).*$", "\1") + "s";
            set beresp.grace = std.duration(beresp.http.X-Cheeseshop-While, 0s);
        }
        if (beresp.http.X-Cheeseshop-Control ~ "(^|[ ,])stale-if-error=[0-9]+"
            && std.duration(regsub(beresp.http.X-Cheeseshop-Control,
                "^(?:.*[ ,])?stale-if-error=([0-9]{1,9}).*$", "\1") + "s", 0s) > beresp.grace) {
            set beresp.grace = std.duration(regsub(beresp.http.X-Cheeseshop-Control,
                "^(?:.*[ ,])?stale-if-error=([0-9]{1,9}).*$", "\1") + "s", 0s);
        }
    } else if (beresp.http.X-Cheeseshop-Control != "") {
        set beresp.ttl = 0s;
    }
    if (!beresp.http.xkey && beresp.ttl > 60s && beresp.http.Cache-Control !~ "(^|[ ,])immutable") {
        # What has no tag cannot be purged; what is addressed by its content has no need of it.
        set beresp.ttl = 60s;
    }
    unset beresp.http.X-Cheeseshop-Control;
}

sub vcl_backend_error {
    if (!bereq.uncacheable) {
        var.global_set("cheeseshop.failed", std.time2real(now, 0.0));
        if (bereq.is_bgfetch || bereq.http.X-Cheeseshop-Refresh) {
            return (abandon);
        }
    }
    set beresp.status = 503;
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.http.Cache-Control = "private, no-store";
    set beresp.http.Retry-After = "5";
    set beresp.body = {"503 Service Unavailable

The index does not answer at the moment. Try again later.
"};
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;
    return (deliver);
}

sub vcl_deliver {
    if (req.http.X-Cheeseshop-Status == "hit") {
        set req.http.X-Cheeseshop-Status = "hit; ttl=" + std.integer(duration=obj.ttl);
    }
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", cheeseshop-edge; " + req.http.X-Cheeseshop-Status;
    } else {
        set resp.http.Cache-Status = "cheeseshop-edge; " + req.http.X-Cheeseshop-Status;
    }
    unset resp.http.Surrogate-Control;
    unset resp.http.Surrogate-Key;
    unset resp.http.CDN-Cache-Control;
    unset resp.http.Cache-Tag;
    unset resp.http.xkey;
    unset resp.http.X-Cheeseshop-Life;
    unset resp.http.X-Cheeseshop-While;
    unset resp.http.X-Varnish;
    return (deliver);
}

sub vcl_synth {
    if (req.http.X-Cheeseshop-Refresh && resp.status == 503 && !req.http.X-Cheeseshop-Stale) {
        # No answer, but there is what was served until now.
        unset req.http.X-Cheeseshop-Refresh;
        set req.http.X-Cheeseshop-Stale = "1";
        set req.grace = 3650d;
        return (restart);
    }
    if (req.http.X-Cheeseshop-Purged) {
        set resp.http.Purged-Objects = req.http.X-Cheeseshop-Purged;
    }
    if (resp.status == 503) {
        set resp.http.Retry-After = "5";
    }
    unset resp.http.X-Varnish;
    set resp.http.Cache-Control = "private, no-store";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    set resp.body = "" + resp.status + " " + resp.reason + {"
"};
    return (deliver);
}
