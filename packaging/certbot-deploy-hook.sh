#!/bin/sh
# Gives the server a certificate that certbot has just renewed: goes to
# /etc/letsencrypt/renewal-hooks/deploy. The server takes it by itself.
set -eu
to="${TWOWAY_TLS_DIR:-/etc/twoway-server/tls}"
group="${TWOWAY_GROUP:-twoway}"
# Written beside and then renamed, so that nobody reads half a file.
for file in fullchain privkey; do
    install -m 0640 -g "$group" "$RENEWED_LINEAGE/$file.pem" "$to/$file.pem.new"
done
for file in fullchain privkey; do
    mv "$to/$file.pem.new" "$to/$file.pem"
done
