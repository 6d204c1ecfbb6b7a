"""What OICP says, in OCPI's words, and the other way: pure functions over trees and tables."""
