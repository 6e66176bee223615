# Model E: journal append (open O_APPEND, write, close) against rotation by the uploader, lock free.
from mc import *
import sys
# inodes: tuple of (nlink, lines tuple, readpos) ; cur: inode idx or None ; proc: (pc,ino) ; rot: (pc, ino) rounds ; seen: set of lines looked at
def mk(variant,n=2,rounds=2,kill=False):
  ini=(((1,(),0),),0,(('open',None),)*n,('idle',None),rounds,frozenset())
  def succ(st):
    ino,cur,pr,rot,rounds,seen=st; out=[]
    def I(i,v,base=None): l=list(base or ino); l[i]=v; return tuple(l)
    for k,(pc,f) in enumerate(pr):
      def P(*a): l=list(pr); l[k]=a; return tuple(l)
      if pc=='open':
        if cur is None: out.append((f"P{k} open creates new journal",(ino+((1,(),0),),len(ino),P('write',len(ino)),rot,rounds,seen)))
        else: out.append((f"P{k} open -> inode {cur}",(ino,cur,P('write',cur),rot,rounds,seen)))
      elif pc=='write':
        n,l,r=ino[f]; out.append((f"P{k} appends to inode {f}",(I(f,(n,l+(k,),r)),cur,P('check' if variant=='fix' else 'done',f),rot,rounds,seen)))
      elif pc=='check':
        out.append((f"P{k} fstat nlink={ino[f][0]}",(ino,cur,P('open' if ino[f][0]==0 else 'done',f),rot,rounds,seen)))
    pc,f=rot
    R=lambda *a:(a[0],a[1])
    if pc=='idle' and rounds>0 and cur is not None: out.append(("R rename journal away",(ino,None,pr,('read',cur),rounds-1,seen)))
    elif pc=='read':
      n,l,r=ino[f]; out.append((f"R reads inode {f} to EOF {l[r:]}",(I(f,(n,l,len(l))),cur,pr,('unlink',f),rounds,seen|set(l[r:]))))
    elif pc=='unlink':
      n,l,r=ino[f]; out.append((f"R unlinks inode {f}",(I(f,(0,l,r)),cur,pr,('read2',f) if variant=='fix' else ('idle',None),rounds,seen)))
    elif pc=='read2':
      n,l,r=ino[f]; out.append((f"R reads again {l[r:]}",(I(f,(n,l,len(l))),cur,pr,('idle',None),rounds,seen|set(l[r:]))))
    return out
  def bad(st,term):
    ino,cur,pr,rot,rounds,seen=st
    if term:
      left=set() if cur is None else set(ino[cur][1][ino[cur][2]:])
      for k in range(len(pr)):
        if k not in seen and k not in left: return f"line of P{k} lost"
  return ini,succ,bad
for v,n,r_ in(('naive',1,1),('naive',2,2),('fix',2,2),('fix',2,3),('fix',3,1))+((('fix',3,2),) if '--long' in sys.argv else ()):
  r=explore(*mk(v,n=n,rounds=r_)); show(f"E journal rotation {v} {n} appenders {r_} rotations",r)
