#!/usr/bin/env bash
# Makes the clip that all fan-out figures are measured with.
# usage: bench/make-clip.sh OUT.flv
#   20 s; H.264 main 1280x720, 30 fps, key frame every 2 s, no B-frames, constant 2,500 kbit/s; AAC-LC 44.1 kHz mono 128 kbit/s.
# The encoder runs with a fixed number of threads, so that the same ffmpeg makes the same file everywhere.
set -euo pipefail
if [[ $# -ne 1 || $1 == -* ]]; then
  sed -n '2,5s/^# \{0,1\}//p' "$0"
  [[ ${1:-} == --help ]] && exit 0 || exit 64
fi
mkdir -p "$(dirname "$1")"
part="$1.part.$$"
trap 'rm -f "$part"' EXIT
# The noise gives key frames the size of filmed material (80-120 KB); without it they have 25 KB, which is too kind to servers.
ffmpeg -hide_banner -loglevel error -nostdin -y \
  -f lavfi -i "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t" \
  -f lavfi -i "sine=frequency=440:sample_rate=44100" \
  -t 20 \
  -c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -threads 3 \
  -b:v 2500k -minrate 2500k -maxrate 2500k -bufsize 2500k \
  -g 60 -keyint_min 60 -sc_threshold 0 -bf 0 \
  -c:a aac -b:a 128k -ac 1 -ar 44100 \
  -f flv "$part"
mv "$part" "$1"
