# One shopper (a) and one rep (b) of a department of their own; what the shopper says is delivered to the rep.
# Side b brings "Authorization: Bearer …" from the lines that serve.sh writes; side a's is not looked at.
b.send {"t":"hello","id":"h"}
b.wait "t":"welcome"
b.send {"t":"shift.start","id":"shift","capacity":1000}
b.wait "re":"shift"
b.capture ready "re":
a.send {"t":"hello","id":"h","locale":"en"}
a.wait "t":"welcome"
a.need ready
a.send {"t":"chat.start","id":"start","department":"p{pair}","text":"Where is my parcel?"}
a.wait "re":"start"
a.capture chat "chat":
b.need chat
b.send {"t":"message.send","id":"r-{chat}","chat":"{chat}","text":"It left the depot this morning."}
b.wait "re":"r-
a.wait "kind":"message"
msg {"t":"message.send","id":"m{seq}","chat":"{chat}","text":"{ts} {pad}"}
deliver "kind":"message"
ts_after "text":"
ack "t":"ok"
