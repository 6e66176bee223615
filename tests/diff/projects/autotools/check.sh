#!/bin/sh
./prog > check.out && grep -q 1 check.out
