#!/bin/bash
# TPU=my-slice ZONE=europe-west4-b launch/tpu_pod.sh \
#   --config=configs/spl.py --workdir=/shared/runs/spl
#
# A TPU pod slice whose machines have this repository with its .venv in
# ~/sginpaint (pip install -U "jax[tpu]" there) and the data and the workdir on
# a shared file system (Filestore). JAX finds the other machines by itself.

set -euo pipefail

flags=$(printf '%q ' "$@")
exec gcloud compute tpus tpu-vm ssh "$TPU" --zone="$ZONE" --worker=all \
  --command="cd ~/sginpaint && SGINPAINT_PROCESS_COUNT=auto \
    .venv/bin/python train.py $flags"
