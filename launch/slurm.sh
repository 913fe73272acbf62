#!/bin/bash
# sbatch launch/slurm.sh --config=configs/spl.py --workdir=/shared/runs/spl
#
# One process for each node, which drives all of its GPUs.
#SBATCH --job-name=sginpaint
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
# SIGTERM five minutes before the time is up: the training saves and leaves.
#SBATCH --signal=TERM@300
# Queued again after a preemption or the failure of a node, it resumes.
#SBATCH --requeue
#SBATCH --open-mode=append

set -euo pipefail

# JAX reads nodes and ranks from SLURM's own variables.
export SGINPAINT_PROCESS_COUNT=auto
export JAX_COMPILATION_CACHE_DIR="${JAX_COMPILATION_CACHE_DIR:-$HOME/.cache/sginpaint/jax}"

# --kill-on-bad-exit: one process that dies takes the others with it.
# JAX looks at one GPU for each task unless it is told which are its own.
gpus=$(seq -s, 0 $((${SLURM_GPUS_ON_NODE:-1} - 1)))
JAX_LOCAL_DEVICE_IDS="$gpus" \
  srun --kill-on-bad-exit=1 .venv/bin/python train.py "$@"
