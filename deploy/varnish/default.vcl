# A site's own part: where the index is, who may purge, and the rest from Cheeseshop itself.
# See README.md beside this file.

vcl 4.1;

import var;

backend cheeseshop {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 2s;
    # For pages; what is uploaded or downloaded gets more. Keep them below 15 s.
    .first_byte_timeout = 10s;
    .between_bytes_timeout = 10s;
    .max_connections = 500;
}

# Every machine that runs workers; nobody else. "edge.token" has to say the same secret.
acl purgers {
    "127.0.0.1";
    "::1";
}

# What terminates TLS before Varnish, if it is not by the PROXY protocol.
acl proxies {
    "127.0.0.1";
    "::1";
}

sub vcl_init {
    var.global_set("cheeseshop.secret", "");
}

include "/etc/varnish/cheeseshop.vcl";
