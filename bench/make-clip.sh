#!/usr/bin/env bash
# Makes the clips that figures are measured with.
# usage: bench/make-clip.sh OUT.flv [2650|600|300|60]
#   2650 (default): 20 s; H.264 main 1280x720, 30 fps, key frame every 2 s, no B-frames, constant 2,500 kbit/s; AAC-LC 44.1 kHz mono 128 kbit/s.
#   600: the same with 640x360, key frame every second, 530 kbit/s; AAC 64 kbit/s.
#   300: the same with 480x270, key frame every second, 250 kbit/s; AAC 48 kbit/s.
#   60:  AAC alone.
# The encoder runs with a fixed number of threads, so that the same ffmpeg makes the same file everywhere.
set -euo pipefail
if [[ $# -lt 1 || $# -gt 2 || $1 == -* ]]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0"
  [[ ${1:-} == --help ]] && exit 0 || exit 64
fi
case ${2:-2650} in
  2650) size=1280x720 video=2500k gop=60 audio=128k ;;
  600) size=640x360 video=530k gop=30 audio=64k ;;
  300) size=480x270 video=250k gop=30 audio=48k ;;
  60) size='' audio=60k ;;
  *) echo "no clip of $2 kbit/s" >&2; exit 64 ;;
esac
mkdir -p "$(dirname "$1")"
part="$1.part.$$"
trap 'rm -f "$part"' EXIT
picture=() encoder=()
if [[ $size ]]; then
  # The noise gives key frames the size of filmed material (80-120 KB in the large clip); without it they have 25 KB, which is too kind to servers.
  picture=(-f lavfi -i "testsrc2=size=$size:rate=30,noise=alls=12:allf=t")
  encoder=(-c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -threads 3
    -b:v "$video" -minrate "$video" -maxrate "$video" -bufsize "$video"
    -g "$gop" -keyint_min "$gop" -sc_threshold 0 -bf 0)
fi
ffmpeg -hide_banner -loglevel error -nostdin -y \
  "${picture[@]}" \
  -f lavfi -i "sine=frequency=440:sample_rate=44100" \
  -t 20 \
  "${encoder[@]}" \
  -c:a aac -b:a "$audio" -ac 1 -ar 44100 \
  -f flv "$part"
mv "$part" "$1"
