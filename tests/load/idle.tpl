# A shopper who has said hello and then only looks at the page.
a.send {"t":"hello","id":"h","locale":"en"}
a.wait "t":"welcome"
