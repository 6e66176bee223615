# Model B/C once more (b_upload.py), with eviction of the local copy: only what is settled may go.
from b_upload import run
run("no fence, w|w steal+kill",nc=2,scripts=['w','w'],tmo=0,cr=1,lock=True,unsettled=True,steal=1,fence=False)
for n,ops in {'w|w':['w','w'],'w|u':['w','u'],'w|wu':['w','wu'],'ww|u':['ww','u'],'wu|w':['wu','w']}.items():
  run(f"fence, lock, unsettled, {n} 1 time-out 1 kill 1 steal, evict settled",nc=2,scripts=ops,tmo=1,cr=1,lock=True,unsettled=True,steal=1,evict='settled')
run("evict while unsettled, one client ww, 1 time-out",nc=1,scripts=['ww'],tmo=1,lock=True,unsettled=True,evict='naive')
run("evict only when settled, one client www, 2 time-outs, 1 kill",nc=1,scripts=['www'],tmo=2,cr=1,lock=True,unsettled=True,evict='settled')
