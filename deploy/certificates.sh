#!/bin/sh
# A private authority and one certificate for the cluster's own traffic: deploy/certificates.sh FOLDER [DAYS]
# Whoever holds key.pem can send work to the cluster and read what passes: keep it like the key of a vault.
set -eu
folder=$1 days=${2:-90}
umask 077
mkdir -p "$folder"
cd "$folder"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj "/CN=Heard cluster authority" \
  -keyout authority-key.pem -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=heard-cluster" -keyout key.pem -out request.pem 2>/dev/null
openssl x509 -req -in request.pem -CA ca.pem -CAkey authority-key.pem -CAcreateserial -days "$days" -out cert.pem 2>/dev/null
rm -f request.pem ca.srl authority-key.pem
