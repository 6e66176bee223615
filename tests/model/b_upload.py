# Model B/C: upload of ONE path. clients C (1 or 2), one uploader each, Redis scripts atomic, S3 with requests that may time out and land later,
# uploader crash (kill -9) at any step, optional lock steal from a stopped uploader.  Versions are ints; None = absent.
from mc import *
import sys
# state fields
F='tree rec gen obj due lock uns s3 net ups ops nv tmo cr steal epoch'.split()
# tree: per client version ; rec: None|(owner,ver,gen,state) ; tomb gen kept in 'gen' ; obj: believed content ('?' unknown)
# due: per client bool ; lock: None|client ; uns: bool ; net: sorted tuple of (kind,ver,client,acked?,epoch)
# ups[c]: (pc, what, ver, gen, status, epoch)
IDLE=('idle',None,None,0,None,0)
def mk(nc, scripts, lock=False, unsettled=False, tmo=1, cr=0, steal=0, fence=True, intent=True, start=None, evict=None):
  ini=dict(tree=tuple(start if c==0 else None for c in range(nc)), rec=None if start is None else (0,start,1,'uploaded'), gen=2, obj=start, due=(False,)*nc, lock=None, uns=False, s3=start, net=(), ups=(IDLE,)*nc, ops=tuple(tuple(s) for s in scripts), nv=1, tmo=tmo, cr=cr, steal=steal, epoch=0)
  T=lambda d: tuple(d[f] for f in F)
  def succ(st):
    s=dict(zip(F,st)); out=[]
    def go(lab,**k):
      d=dict(s); d.update(k); out.append((lab,T(d)))
    def setc(tup,c,v): l=list(tup); l[c]=v; return tuple(l)
    for c in range(nc):
      # program on client c: op then publish, as one step each (model A covers inside of publish)
      if s['ops'][c]:
        o=s['ops'][c][0]; rest=setc(s['ops'],c,s['ops'][c][1:])
        if o=='w': go(f"{c}: write+publish v{s['nv']} gen {s['gen']}",tree=setc(s['tree'],c,s['nv']),rec=(c,s['nv'],s['gen'],'staged'),gen=s['gen']+1,due=setc(s['due'],c,True),nv=s['nv']+1,ops=rest)
        elif o=='u': go(f"{c}: unlink+publish",tree=setc(s['tree'],c,None),rec=None,gen=s['gen']+1,due=setc(s['due'],c,True),ops=rest)
      pc,what,ver,g,stt,ep=s['ups'][c]
      U=lambda *a: setc(s['ups'],c,a)
      if pc=='idle' and s['due'][c] and (not lock or s['lock'] is None):
        rec=s['rec']
        kw=dict(lock=c) if lock else {}
        if rec is None: go(f"U{c}: begin DELETE",ups=U('send','D',None,s['gen'],None,s['epoch']),**kw)
        elif rec[0]==c: go(f"U{c}: begin PUT v{s['tree'][c]} gen {rec[2]}",ups=U('send','P',s['tree'][c],rec[2],None,s['epoch']),**kw)
        else: go(f"U{c}: not owner, drop due",due=setc(s['due'],c,False))
      if evict and s['rec'] and s['rec'][0]==c and s['rec'][3]=='uploaded' and s['tree'][c] not in (None,'stub') and s['tree'][c]==s['rec'][1] and (evict=='naive' or (not s['uns'] and s['lock'] is None and not s['due'][c])):
        go(f"{c}: evict v{s['tree'][c]}",tree=setc(s['tree'],c,'stub'))
      if pc=='send':
        if fence and ep!=s['epoch'] : go(f"U{c}: send refused (signature too old)",ups=U('ack',what,ver,g,'fail',ep))
        else: go(f"U{c}: send {what}{ver if ver is not None else ''}",net=tuple(sorted(s['net']+((what,-1 if ver is None else ver,c,True,ep),))),ups=U('wait',what,ver,g,None,ep))
      elif pc=='wait':
        if stt is None and s['tmo']>0:
          mine=[r for r in s['net'] if r[2]==c and r[3]]
          if mine:
            l=list(s['net']); l.remove(mine[0]); l.append(mine[0][:3]+(False,)+mine[0][4:])
            go(f"U{c}: time-out",net=tuple(sorted(l)),tmo=s['tmo']-1,ups=U('ack',what,ver,g,'timeout',ep))
      elif pc=='ack':
        k={}
        held=(not lock) or s['lock']==c
        if lock and held: k['lock']=None
        if stt=='ok':
          k['obj']=ver
          rec=s['rec']; same=(rec is None and what=='D' and g==s['gen']) or (rec is not None and rec[2]==g and what=='P')
          if same:
            k['due']=setc(s['due'],c,False)
            if rec: k['rec']=rec[:3]+('uploaded',)
          elif rec is not None and rec[0]!=c:
            k['due']=setc(s['due'],c,False)
            if lock: # rule: finish with a newer state by someone else: make its owner look again
              d=list(k['due']); d[rec[0]]=True; k['due']=tuple(d)
          if not held: k['uns']=True if unsettled else s['uns']
        else:
          if unsettled: k['uns']=True
        go(f"U{c}: finish {what}{ver} {stt}",ups=U(*IDLE),**k)
      if pc!='idle' and s['cr']>0:
        # kill -9: requests already handed over stay in the net, unacked
        net=tuple(sorted(r if not(r[2]==c and r[3]) else r[:3]+(False,)+r[4:] for r in s['net']))
        k={}
        if lock and s['lock']==c: k['lock']=None   # taken over at restart/expiry ...
        if unsettled and intent and s['lock']==c: k['uns']=True     # ... and the intent record (the lock entry) makes it unsettled
        go(f"U{c}: kill -9 + restart",ups=U(*IDLE),net=net,cr=s['cr']-1,**k)
      if lock and s['steal']>0 and s['lock']==c and pc in('send','wait','ack'):
        k={}
        if unsettled: k['uns']=True
        go(f"lock of stopped U{c} expires",lock=None,steal=s['steal']-1,**k)
    for i,r in enumerate(s['net']):
      rest=s['net'][:i]+s['net'][i+1:]
      v=None if r[0]=='D' else r[1]
      if r[3]:
        u=s['ups'][r[2]]
        go(f"S3: {r[0]}{'' if v is None else v} of U{r[2]} lands, answered",s3=v,net=rest,ups=setc(s['ups'],r[2],('ack',)+u[1:4]+('ok',)+u[5:]))
      else:
        go(f"S3: late {r[0]}{'' if v is None else v} of U{r[2]} LANDS",s3=v,net=rest)
        go(f"S3: late {r[0]} of U{r[2]} vanishes",net=rest)
    # settle check: after T_settle (all older requests landed or refused): HEAD, make somebody look again if S3 differs
    if unsettled and s['uns'] and not [r for r in s['net'] if not r[3]] and (not lock or s['lock'] is None) and all(u[0]=='idle' or u[0]=='send' for u in s['ups']):
      want=None if s['rec'] is None else (s['rec'][1])
      k=dict(uns=False,epoch=s['epoch']+1)
      if s['s3']!=want:
        d=list(s['due'])
        who=s['rec'][0] if s['rec'] else 0
        d[who]=True; k['due']=tuple(d)
        if s['rec']: k['rec']=s['rec'][:3]+('staged',)
      go(f"settle check: S3 has {s['s3']}, wanted {want}",**k)
    return out
  def bad(st,term):
    s=dict(zip(F,st))
    for u in s['ups']:
      if u[2]=='stub': return "bytes needed again, but the local copy was evicted: LOST"
    if term:
      want=None if s['rec'] is None else s['rec'][1]
      if s['s3']!=want: return f"S3 has {s['s3']} but Redis says {want} ({s['rec']})"
      if any(s['due']): return "stuck with due entries"
  return T(ini),succ,bad
def run(name,full=True,**k):
  r=explore(*mk(**k)); show(name,r,full); return r
if __name__=='__main__':
  print("-- one client, no lock needed but requests may be late")
  for n,ops in {'w,w':['ww'],'w,u':['wu'],'w,u,w':['wuw']}.items():
    run(f"B naive ops {n}, 1 time-out",nc=1,scripts=ops,tmo=1,full=(n!='w,u,w'))
  run("B naive start uploaded, ops u,w: late DELETE",nc=1,scripts=['uw'],tmo=1,start=9)
  run("B naive kill -9 of uploader, no time-out, w,w",nc=1,scripts=['ww'],tmo=0,cr=1)
  print("-- one client, rule: intent in Redis before sending, unsettled + settle check")
  for n,ops in {'w,w':['ww'],'w,u':['wu'],'w,u,w':['wuw']}.items():
    for st in (None,9):
      run(f"B fixed ops {n}, 2 time-outs, 1 kill, start={st}",nc=1,scripts=ops,tmo=2,cr=1,lock=True,unsettled=True,start=st)
  run("B settle check but no intent record (crash leaves no trace)",nc=1,scripts=['ww'],tmo=0,cr=1,lock=True,unsettled=True,intent=False)
  print("-- two clients")
  for n,ops in {'w|w':['w','w'],'w|u':['w','u'],'w|wu':['w','wu'],'ww|u':['ww','u']}.items():
    run(f"C naive ops {n}, no time-out, no crash",nc=2,scripts=ops,tmo=0,full=n in('w|w','w|u'))
  for n,ops in {'w|w':['w','w'],'w|u':['w','u'],'w|wu':['w','wu'],'ww|u':['ww','u'],'wu|w':['wu','w']}.items():
    run(f"C lock only ops {n}, no time-out/crash",nc=2,scripts=ops,tmo=0,lock=True)
  run("C lock only, w|w, 1 steal",nc=2,scripts=['w','w'],tmo=0,lock=True,steal=1)
  run("C lock only, w|w, 1 kill",nc=2,scripts=['w','w'],tmo=0,lock=True,cr=1)
  for n,ops in {'w|w':['w','w'],'w|u':['w','u'],'w|wu':['w','wu'],'ww|u':['ww','u'],'wu|w':['wu','w']}.items():
    run(f"C lock+unsettled+intent ops {n}, 1 time-out 1 kill 1 steal",nc=2,scripts=ops,tmo=1,cr=1,lock=True,unsettled=True,steal=1)
  run("C same but no signature-age fence",nc=2,scripts=['w','w'],tmo=0,cr=0,lock=True,unsettled=True,steal=1,fence=False)
