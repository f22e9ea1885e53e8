"""Read any XML document into the tree that expressions read, with comments, instructions and mixed content."""

from __future__ import annotations

from lxml import etree

from forms.expressions.nodes import COMMENT, INSTRUCTION, TEXT, Node, Tree


def read_document(xml: str | bytes, *, keep_space: bool = True) -> Tree:
    """Return the tree of an XML document; entities are not expanded and nothing is fetched.

    `keep_space`: False drops white space between elements. Raises ValueError for XML that is not well-formed.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=True)
    try:
        root = etree.fromstring(xml.encode() if isinstance(xml, str) else xml, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    tree = Tree()
    for before in reversed(list(root.itersiblings(preceding=True))):
        _add(tree.document, before)
    tree.document.append(_read(root, keep_space=keep_space))
    for after in root.itersiblings():
        _add(tree.document, after)
    return tree


def _read(root: etree._Element, *, keep_space: bool) -> Node:
    """Read an element with all beneath it, by events: documents may nest deeper than Python recurses."""
    top = _element(root)
    open_nodes = [top]
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            node = top if element is root else open_nodes[-1].append(_element(element))
            if element is not root:
                open_nodes.append(node)
            if len(element):
                _text(node, element.text, keep_space=keep_space)
            else:
                node.value = element.text or ""
            continue
        if event == "end":
            open_nodes.pop()
        else:
            _add(open_nodes[-1], element)
        if open_nodes:
            _text(open_nodes[-1], element.tail, keep_space=keep_space)
    return top


def _text(node: Node, text: str | None, *, keep_space: bool) -> None:
    if text and (keep_space or text.strip()):
        node.append(Node("", text, kind=TEXT))


def _add(parent: Node, element: etree._Element) -> None:
    if isinstance(element, etree._Comment):
        parent.append(Node("", element.text or "", kind=COMMENT))
    elif isinstance(element, etree._ProcessingInstruction):
        parent.append(Node(str(element.target), element.text or "", kind=INSTRUCTION))


def _element(element: etree._Element) -> Node:
    name = etree.QName(element)
    node = Node(name.localname, ns=name.namespace or "", prefix=element.prefix or "")
    above = element.getparent()
    inherited = {} if above is None else above.nsmap
    declared = {prefix or "": uri for prefix, uri in element.nsmap.items() if inherited.get(prefix) != uri}
    node.declared = declared or None
    prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
    for key, value in element.attrib.items():
        attribute = etree.QName(str(key))
        uri = attribute.namespace or ""
        prefix = "xml" if uri == "http://www.w3.org/XML/1998/namespace" else prefixes.get(uri, "")
        node.set_attribute(attribute.localname, str(value), ns=uri, prefix=prefix)
    return node
